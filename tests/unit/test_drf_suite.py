"""The judge of DRF's own tests: what it lets pass, and what it complains of."""

import pytest

from tests.drf_suite import judge
from tests.drf_suite.judge import Run, expected, problems, row

EXPECTED = next(iter(expected()))


def run(outcomes, **figures):
    return Run(outcomes, **{"requests": 1, "bridged": 1, **figures})


PLAIN = run({"a": "passed", "b": "passed", "broken": "failed", "c": "skipped", EXPECTED: "passed"})
OURS = {"a": "passed", "b": "passed", "broken": "failed", "c": "skipped", EXPECTED: "failed"}


def test_what_is_as_it_must_be_is_no_problem():
    assert problems(run(OURS), PLAIN, whole=False) == []
    assert row(run(OURS), PLAIN) == "| drf | **all** | 5 | 2 | 1 | 1 | 1 | 0 |"


@pytest.mark.parametrize(
    ("changes", "figures", "problem"),
    [
        ({"a": "failed"}, {}, "fails: a"),
        ({"a": "skipped"}, {}, "passes without our views, and does not run with them: a"),
        ({"a": None}, {}, "passes without our views, and does not run with them: a"),
        ({EXPECTED: "passed"}, {}, f"expected to differ, but did not: {EXPECTED}"),
        ({}, {"synchronous": 2}, "2 statements past the bridge, 1 in it"),
        ({}, {"bridged": 0}, "0 statements past the bridge, 0 in it"),
    ],
)
def test_a_problem_is_named(changes, figures, problem):
    outcomes = {name: value for name, value in {**OURS, **changes}.items() if value}

    assert problems(run(outcomes, **figures), PLAIN, whole=False) == [problem]


def test_a_whole_run_must_have_enough_that_passes(monkeypatch):
    found = problems(run(OURS), PLAIN, whole=True)

    assert found[-1] == f"2 tests pass, {judge.PASSED_MIN} must"
    assert [line for line in found if "does not exist" in line]


def test_no_more_may_differ_than_agreed(monkeypatch):
    many = {f"test{number}": "a reason" for number in range(judge.DIFFERENT_MAX + 1)}
    monkeypatch.setattr(judge, "expected", lambda: many)

    assert f"{len(many)} tests are expected to differ, 10 may" in problems(
        run({}), run({}), whole=False
    )


def test_every_expected_difference_has_its_reason():
    assert len(expected()) <= judge.DIFFERENT_MAX
    assert all(reason for reason in expected().values())
