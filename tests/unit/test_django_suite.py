"""What runs Django's suite sees what may not be: past the bridge, hidden, or blamed on others."""

from collections import Counter

import psycopg
import pytest
from django.db import connection

from tests.django_suite import judge, loop
from tests.django_suite.expected import Difference
from tests.settings import SERVER


@pytest.fixture
def counted(monkeypatch):
    """Count from zero."""
    monkeypatch.setattr(loop.Counter, "bridged", 0)
    monkeypatch.setattr(loop.Counter, "synchronous", 0)
    return loop.Counter


def test_a_query_past_the_bridge_is_counted(counted):
    def query():
        with psycopg.connect(**SERVER) as synchronous:
            synchronous.execute("SELECT 1")

    loop.run_in_loop(query)
    assert counted.synchronous >= 1
    assert counted.bridged == 0


def test_a_query_in_the_bridge_is_none_past_it(counted):
    def query():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    loop.run_in_loop(query)
    assert counted.synchronous == 0
    assert counted.bridged >= 1


@pytest.fixture
def expected(monkeypatch):
    """Expect two differences, one of them the server's."""
    modes = frozenset({"bridge"})
    entries = [
        Difference(modes, "*", "app.A.test_differs*", "asserts a name"),
        Difference(modes, "*", "app.A.test_server", "server: no ICU"),
    ]
    monkeypatch.setattr(judge, "differences", lambda: entries)


def result_of(**outcomes):
    tests = {f"app.A.test_{name}": outcome for name, outcome in outcomes.items()}
    plans = Counter(hits=3, misses=1)
    return {"outcomes": tests, "crashed": [], "synchronous": 0, "bridged": 1, "plans": plans}


def test_only_failures_that_nobody_expects_are_problems(expected):
    result = result_of(differs="failure", server="error", other="error", fine="passed")
    assert judge.problems_of("bridge", result) == ["FAILED in mode bridge: app.A.test_other"]


def test_a_query_past_the_bridge_is_a_problem(expected):
    result = {**result_of(fine="passed"), "synchronous": 2}
    assert judge.problems_of("bridge", result) == [
        "mode bridge: 2 queries on synchronous connections"
    ]


def test_a_process_that_died_is_a_problem(expected):
    result = {**result_of(), "crashed": ["Segmentation fault"]}
    assert "Segmentation fault" in judge.problems_of("bridge", result)[0]


def test_too_many_differences_are_a_problem(expected):
    result = result_of(**{f"differs_{number}": "failure" for number in range(21)})
    assert judge.problems_of("bridge", result) == [
        "mode bridge: 21 differences, at most 20 allowed"
    ]


@pytest.mark.parametrize(
    ("ours", "plain", "problem"),
    [
        ({"a": "passed"}, {"a": "passed"}, None),
        ({"server": "error"}, {"server": "error"}, None),
        ({"server": "error"}, {"server": "passed"}, "test_server is said to fail because of the"),
        ({}, {"a": "passed"}, "test_a did not run"),
        ({f"s{n}": "skipped" for n in range(5)}, {f"s{n}": "passed" for n in range(5)}, None),
        (
            {f"s{n}": "skipped" for n in range(6)},
            {f"s{n}": "passed" for n in range(6)},
            "skips 6 tests, Django itself 0",
        ),
    ],
)
def test_the_comparison_with_plain_django_hides_nothing(expected, ours, plain, problem):
    outcomes = [result_of(**which)["outcomes"] for which in (ours, plain)]
    problems = judge.dishonest("bridge", *outcomes)
    assert len(problems) == (problem is not None)
    assert problem is None or problem in problems[0]


def test_entries_that_no_test_needed_are_named(expected):
    outcomes = result_of(differs="failure", server="passed")["outcomes"]
    assert judge.unneeded("bridge", outcomes) == ["app.A.test_server"]


def test_a_plan_unlike_django_is_a_problem(expected):
    result = result_of(fine="passed")
    result["plans"]["mismatches"] = 1

    assert judge.problems_of("bridge", result) == ["mode bridge: 1 plans unlike Django"]


def test_the_use_of_plans_is_told_with_what_was_left_to_django(monkeypatch):
    monkeypatch.setattr(judge, "PLANS", "verify")
    plans = Counter({"hits": 6, "misses": 2, "fallbacks": 1, "mismatches": 0, "a subquery": 3})

    assert judge.plans_remark("native", plans) == (
        "- Mode native: plans were used for 6 of 12 operations (50%), made for 2, did not fit 1 "
        "times; 0 mismatches with Django (`PLANS = 'verify'`). Left to Django: a subquery 3."
    )
