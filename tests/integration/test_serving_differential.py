"""Stock Django and ours answer the same requests alike, down to signals, queries and logs."""

import pytest

from tests.serving.comparison import FLAVOURS, Expected, differences, serve_both
from tests.serving.scripts import SCENARIOS

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
    return serve_both(tmp_path_factory.mktemp("serving"))


# The servers have databases of their own.
@pytest.fixture(scope="session")
def databases():
    return


@pytest.fixture
def clean_database():
    return


def test_both_flavours_answered_every_request(seen):
    assert [list(seen[flavour]) for flavour in FLAVOURS] == [REQUESTS, REQUESTS]
    assert len(set(REQUESTS)) == len(REQUESTS)


@pytest.mark.parametrize("where", REQUESTS)
def test_ours_does_what_stock_django_does(seen, where):
    if found := differences(seen, where, EXPECTED):
        pytest.fail(found, pytrace=False)


@pytest.mark.parametrize("each", EXPECTED, ids=lambda each: f"{each.where} {each.field}")
def test_what_is_expected_to_differ_still_does(seen, each):
    others = tuple(other for other in EXPECTED if other is not each)
    concerned = [where for where in REQUESTS if each.concerns(where, each.field)]
    assert any(differences(seen, where, others) for where in concerned), each.reason
