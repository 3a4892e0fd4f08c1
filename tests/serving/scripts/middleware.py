"""The same few requests through every stack of odd middleware."""

from ..stacks import STACKS
from .base import Scenario, get

_ODD = [
    name for name in STACKS if name not in {"none", "defaults", "content", "site cache", "queries"}
]
_STEPS = (
    get("/text/"),
    get("/async-text/"),
    get("/templated/context/"),
    get("/fail/plain/"),
    get("/async-fail/plain/"),
    get("/fail/404/"),
    get("/async-fail/denied/"),
    get("/broken/"),
    get("/nothing/"),
    get("/async-stream/"),
    get("/database/detail/1/"),
    get("/database/async-detail/1/"),
    get("/no/such/page/"),
)

SCENARIOS = (
    *(Scenario(name, _STEPS, stack=name) for name in _ODD if name != "other urls"),
    Scenario("alternating in debug", _STEPS, stack="alternating", settings=(("DEBUG", True),)),
    Scenario("not used in debug", _STEPS, stack="not used", settings=(("DEBUG", True),)),
)
