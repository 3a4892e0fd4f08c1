"""Ours answers as stock Django does, down to signals, queries and logs, however it is set up.

The measure is Django's ASGI handler for coroutine views, its WSGI handler for synchronous views.
"""

import django
import pytest

from tests.once import once_per_run
from tests.serving.comparison import Expected, answers, differences, serve_all
from tests.serving.flavours import FLAVOURS, ON_THE_LOOP, OURS, STOCK_WSGI
from tests.serving.recorder import IN_ORDER
from tests.serving.scripts import SCENARIOS
from tests.serving.scripts.failures import SYNCHRONOUS_KINDS

FAILED = "ERROR django.request: Internal Server Error: /classes/async-callable/"
SYNC_ONLY = "TypeError: sync_to_async can only be applied to sync functions."
UNAWAITED = (
    "ValueError: The view tests.serving.views.classes.AsyncCallable.__call__ didn't return an "
    "HttpResponse object. It returned an unawaited coroutine instead. You may need to add an "
    "'await' into your view."
)
AWAITED = "request_finished from handler, asynchronously"
ENDED = {"events": "closer called\nrequest_finished from handler"}
if IN_ORDER:
    ENDED["events"] += f"\n{AWAITED}"
elif django.VERSION >= (5, 0):
    ENDED["awaited"] = AWAITED
STOPPED = "ERROR django.request: Internal Server Error: /fail/stop/ [500] (StopIteration: no more)"
EXPECTED = (
    Expected(
        "middleware: view refused/*",
        "headers",
        "X-Either-Class: synchronous",
        "X-Either-Class: asynchronous",
        "Middleware that can be both is asynchronous whatever stands below it: stock Django makes "
        "it synchronous, hence runs it in a thread, above one that is synchronous only.",
    ),
    Expected(
        "*",
        "warnings",
        "Warning: StreamingHttpResponse must consume synchronous iterators *",
        "",
        "They are consumed piece by piece: stock Django collects the whole body first.",
    ),
    Expected(
        "*in debug*/loading",
        "logs",
        "DEBUG django.request: *ynchronous handler adapted for *",
        "",
        "Nothing is adapted, that is: sent to a thread.",
    ),
    *(
        Expected(
            "pieces*/broken-*",
            field,
            "",
            ours,
            "A response whose stream fails is closed all the same, which ends the request: stock "
            "Django leaves its closers uncalled and its connections to whoever collects them.",
        )
        for field, ours in ENDED.items()
    ),
    Expected(
        "pieces*/broken-from-generator",
        "body",
        "",
        "first",
        "It is sent piece by piece: stock Django collects the whole body first.",
        flavours=ON_THE_LOOP,
    ),
    # First not where stock Django has it, then where ours has it.
    *(
        Expected(
            "leaving a stream/in the response",
            "events",
            stock,
            ours,
            "The generator ends with the response, in its task: stock Django leaves it to Python, "
            "which closes it in another.",
        )
        for stock, ours in (
            ("endless stream closed", ""),
            ("closer called", "endless stream closed\ncloser called"),
        )
    ),
    Expected(
        "*/from-asynchronous",
        "warnings",
        "Warning: StreamingHttpResponse must consume asynchronous iterators *",
        "",
        "The event loop makes the pieces: under WSGI Django collects the whole body first.",
        measure=STOCK_WSGI,
    ),
    *(
        Expected(
            "failures*/fail/stop",
            field,
            "*StopIteration interacts badly with generators*",
            ours,
            "Only a future, which brings the outcome of a thread, refuses a StopIteration.",
            flavours=ON_THE_LOOP,
        )
        for field, ours in (("logs", STOPPED), ("body", "no more"))
        if "stop" in SYNCHRONOUS_KINDS
    ),
    *(
        Expected(
            "*/async-callable",
            field,
            stock,
            ours,
            "An object whose `__call__` is a coroutine function is a mistake that Django does not "
            "see; its `sync_to_async` complains of it, where none is used its handler does.",
            flavours=ON_THE_LOOP,
        )
        for field, stock, ours in (
            ("logs", f"*({SYNC_ONLY})", f"{FAILED} [500] ({UNAWAITED})"),
            ("body", SYNC_ONLY.partition(": ")[2], UNAWAITED.partition(": ")[2]),
            (
                "warnings",
                "",
                "RuntimeWarning: coroutine 'AsyncCallable.__call__' was never awaited",
            ),
        )
    ),
)
if (5, 0) <= django.VERSION < (6, 1):
    EXPECTED += (
        Expected(
            "*",
            "warnings",
            "ResourceWarning: Unclosed file <tempfile.SpooledTemporaryFile *",
            "",
            "The body of a request whose error goes to the server is closed too, as in Django 6.1.",
        ),
    )
REQUESTS = [
    f"{scenario.name}/{step}"
    for scenario in SCENARIOS
    for step in ("loading", *(step.name for step in scenario.steps))
]

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What each flavour did in each request."""
    return answers(once_per_run(tmp_path_factory, "serving", serve_all))


# The servers have databases of their own.
@pytest.fixture(scope="session")
def databases():
    return


@pytest.fixture
def clean_database():
    return


def test_every_flavour_answered_every_request(seen):
    assert {flavour: list(seen[flavour]) for flavour in FLAVOURS} == dict.fromkeys(
        FLAVOURS, REQUESTS
    )
    assert len(set(REQUESTS)) == len(REQUESTS)


@pytest.mark.parametrize("where", REQUESTS)
def test_ours_does_what_stock_django_does(seen, where):
    found = [differences(seen, flavour, where, EXPECTED) for flavour in OURS]
    if any(found):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize("each", EXPECTED, ids=lambda each: f"{each.where} {each.field}")
def test_what_is_expected_to_differ_still_does(seen, each):
    others = tuple(other for other in EXPECTED if other is not each)
    assert any(
        differences(seen, flavour, where, others)
        for flavour in OURS
        for where in REQUESTS
        if each.concerns(flavour, where, each.field)
    ), each.reason
