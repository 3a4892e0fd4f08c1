"""The same few requests through every stack of odd middleware."""

from ..stacks import STACKS
from .base import Scenario, get

_ELSEWHERE = {"none", "defaults", "content", "site cache", "queries", "other urls"}
_ODD = [name for name in STACKS if name not in _ELSEWHERE]
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
    get("/database/async-in-thread/"),
    get("/context/"),
    get("/async-context/"),
    get("/no/such/page/"),
)

SCENARIOS = (
    *(Scenario(f"middleware: {name}", _STEPS, stack=name) for name in _ODD),
    *(
        Scenario(f"middleware in debug: {name}", _STEPS, stack=name, settings=(("DEBUG", True),))
        for name in ("alternating", "classes", "not used", "raises after")
    ),
)
