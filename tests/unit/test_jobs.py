"""Several jobs, one or more at once, end in one table and one line."""

import re
import sys

import pytest

from scripts import ci
from scripts.jobs import FAILED, NOT_RUN, OK, Job, Result, failed, run, table


def says(what, text, code=0, **more):
    return Job(what, [sys.executable, "-c", f"print({text!r}); raise SystemExit({code})"], **more)


@pytest.mark.needs_thread("jobs run side by side")
def test_every_job_runs_and_the_end_says_what_became_of_each(capfd):
    jobs = [
        says("breaks", "3 passed in 1.00s", 1),
        says("goes on", "2 passed, 1 skipped in 1.00s"),
        says("beside them", "1 failed in 1.00s", python="2.7"),
        says("ours", "ours was here"),
    ]
    assert run(jobs, [says("first", "all begins")], at_once=2) == 1

    said = capfd.readouterr().out
    summary = said[said.index("Summary") :]
    assert re.sub(r" +\d+ s  ", " n s  ", summary).splitlines() == [
        "Summary",
        "-------",
        "ok n s  first",
        "FAILED n s  breaks",
        "ok n s  goes on",
        "NOT RUN       -  beside them (Python 2.7 is not on this machine)",
        "ok n s  ours",
        "ci: 5 passed, 1 failed, 1 skipped",
    ]
    assert said.index("all begins") < min(said.index("3 passed"), said.index("ours was here"))


@pytest.mark.needs_thread("jobs run side by side")
def test_a_job_gets_its_variables_and_no_input(capfd):
    code = "import os, sys; print(os.environ['NAMED'], repr(sys.stdin.read()))"
    job = Job("asks", [sys.executable, "-c", code], environment=(("NAMED", "value"),))
    assert run([job]) == 0
    assert "value ''" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("outcome", "required", "fails"),
    [(OK, True, False), (FAILED, False, True), (NOT_RUN, False, False), (NOT_RUN, True, True)],
)
def test_only_a_python_that_is_required_may_not_be_missing(outcome, required, fails):
    result = Result(Job("tests", [], required=required), outcome, 1.0)
    assert failed(result) == fails
    assert len(table([result])) == 4


def test_whatever_a_quick_run_leaves_out_is_in_the_whole_one():
    whole = " ".join(job.what for job in ci.ALL)
    for job in ci.RUN:
        # A part, or a slice, of what is there under the same name.
        name = re.split(r", a slice|: (?:core|engine)|, native", job.what)[0]
        assert name.replace("newest Python and Django", "Python 3.13, django61") in whole
