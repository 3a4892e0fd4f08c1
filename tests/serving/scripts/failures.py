"""Views that fail."""

import sys

from .base import Scenario, get

KINDS = (
    *("404", "denied", "suspicious", "host", "bad", "multipart", "large", "fields"),
    *("plain", "key", "stop", "async-stop", "timeout", "cancelled"),
)
# Before Python 3.13 a thread cannot hand it to a future: stock Django never answers.
SYNCHRONOUS_KINDS = [kind for kind in KINDS if kind != "stop" or sys.version_info >= (3, 13)]
_STEPS = (
    *(get(f"/fail/{kind}/") for kind in SYNCHRONOUS_KINDS),
    *(get(f"/async-fail/{kind}/") for kind in KINDS),
    get("/nothing/"),
    get("/async-nothing/"),
    get("/unawaited/"),
    get("/async-unawaited/"),
    get("/fail-in-template/"),
    get("/broken/"),
    get("/no/such/page/"),
    get("/async-fail/plain/", "head", method="HEAD"),
    get("/classes/async-callable/"),
)

SCENARIOS = (
    Scenario("failures", _STEPS),
    Scenario("failures without middleware", _STEPS, stack="none"),
    Scenario("failures in debug", _STEPS, settings=(("DEBUG", True),)),
    Scenario(
        "failures that propagate",
        (get("/fail/plain/"), get("/async-fail/plain/"), get("/fail/404/"), get("/text/")),
        settings=(("DEBUG_PROPAGATE_EXCEPTIONS", True),),
    ),
)
