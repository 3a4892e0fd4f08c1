"""Run Django's suite in one mode or several, print a table, fail on what is not expected."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import django

from .apps import chosen, group_of, shared_out
from .expected import LIMITS, Difference, differences, reason_for
from .report import Row, table, write_page
from .source import tests_of_django

ROOT = Path(__file__).resolve().parents[2]
SKIPS_MORE = 5


def main() -> int:
    """Read the options, run the modes, report; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.django_suite", description=__doc__)
    parser.add_argument("--modes", default="bridge native async")
    parser.add_argument("--apps", default=os.environ.get("APPS", ""))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="write docs/conformance.md")
    parser.add_argument("--baseline", action="store_true", help="count what plain Django skips")
    options = parser.parse_args()
    folder = tests_of_django()
    rows: list[Row] = []
    problems: list[str] = []
    for mode in options.modes.split():
        apps = chosen(mode, options.apps, folder)
        print(f"Django {django.get_version()}, mode {mode}: {len(apps)} applications", flush=True)
        result = run(mode, apps, options.jobs, folder)
        rows += rows_of(mode, result["outcomes"])
        problems += problems_of(mode, result)
        if options.baseline and mode != "async":
            problems += dishonest_skips(mode, result, run("sync", apps, options.jobs, folder))
    text = table(rows)
    print(text)
    for problem in problems:
        print(problem)
    if options.page:
        write_page(ROOT / "docs" / "conformance.md", text)
    return 1 if problems else 0


def run(mode: str, apps: list[str], jobs: int, folder: Path) -> dict[str, Any]:
    """Run applications in one mode, in several processes at once; return what they report."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        children = [
            begin(mode, share, Path(place) / str(number))
            for number, share in enumerate(shared_out(apps, folder, jobs))
        ]
        merged: dict[str, Any] = {"outcomes": {}, "bridged": 0, "synchronous": 0, "crashed": []}
        for child, report, log in children:
            wait_for(child, mode, began)
            if not report.exists():
                merged["crashed"].append(log.read_text("utf-8", "replace")[-6000:])
                continue
            found = json.loads(report.read_text("utf-8"))
            merged["outcomes"].update(found["outcomes"])
            merged["bridged"] += found["bridged"]
            merged["synchronous"] += found["synchronous"]
            unexpected = unexpected_of(mode, found["outcomes"])
            if mode != "sync" and unexpected:
                print(log.read_text("utf-8", "replace")[-30000:])
    print(f"  {len(merged['outcomes'])} tests in {time.monotonic() - began:.0f} s", flush=True)
    return merged


def begin(mode: str, apps: list[str], place: Path) -> tuple[subprocess.Popen[bytes], Path, Path]:
    """Start one process; return it with its report and its log."""
    report, log = place.with_suffix(".json"), place.with_suffix(".log")
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {
        **os.environ,
        "PYTHONPATH": paths.rstrip(os.pathsep),
        "TURBO_SUITE_MODE": mode,
        "TURBO_SUITE_REPORT": str(report),
    }
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.django_suite.child", *apps],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return child, report, log


def wait_for(child: subprocess.Popen[bytes], mode: str, began: float) -> None:
    """Wait for a process and show every half minute that it is still at work."""
    while True:
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            print(f"  mode {mode}: {time.monotonic() - began:.0f} s ...", flush=True)
        else:
            return


def kinds(mode: str, outcomes: dict[str, str]) -> dict[str, str]:
    """Return which column of the table each test belongs to."""
    entries = differences()
    return {test: _kind(test, mode, outcome, entries) for test, outcome in outcomes.items()}


def _kind(test: str, mode: str, outcome: str, entries: list[Difference]) -> str:
    if outcome not in {"error", "failure"}:
        return outcome
    reason = reason_for(test, mode, entries)
    if reason is None:
        return "failed"
    return "server" if reason.startswith("server:") else "expected"


def unexpected_of(mode: str, outcomes: dict[str, str]) -> list[str]:
    """Return the tests that failed though nothing says that they may."""
    return sorted(test for test, kind in kinds(mode, outcomes).items() if kind == "failed")


def rows_of(mode: str, outcomes: dict[str, str]) -> list[Row]:
    """Return a row of figures for each group of applications."""
    counts: dict[str, Counter[str]] = {}
    for test, kind in kinds(mode, outcomes).items():
        counts.setdefault(group_of(_plain(test)), Counter())[kind] += 1
    return [Row(mode, group, count) for group, count in sorted(counts.items())]


def _plain(test: str) -> str:
    """Return the id of a test, of a class for `setUpClass (module.Class)`."""
    return test.partition("(")[2].rstrip(")") or test


def problems_of(mode: str, result: dict[str, Any]) -> list[str]:
    """Return what must not be: failures, crashes, synchronous queries, too many exceptions."""
    outcomes = result["outcomes"]
    problems = [f"FAILED in mode {mode}: {test}" for test in unexpected_of(mode, outcomes)]
    problems += [f"A process of mode {mode} died:\n{log}" for log in result["crashed"]]
    if result["synchronous"]:
        problems.append(f"mode {mode}: {result['synchronous']} queries on synchronous connections")
    differing = [test for test, kind in kinds(mode, outcomes).items() if kind == "expected"]
    if len(differing) > LIMITS[mode]:
        problems.append(
            f"mode {mode}: {len(differing)} differences, at most {LIMITS[mode]} allowed"
        )
    return problems


def dishonest_skips(mode: str, ours: dict[str, Any], plain: dict[str, Any]) -> list[str]:
    """Return a problem if more is skipped here than Django skips on the same server."""
    skipped = [list(run["outcomes"].values()).count("skipped") for run in (ours, plain)]
    print(f"  skipped: {skipped[0]} in mode {mode}, {skipped[1]} by Django itself")
    if skipped[0] <= skipped[1] + SKIPS_MORE:
        return []
    return [f"mode {mode} skips {skipped[0]} tests, Django itself {skipped[1]}"]


if __name__ == "__main__":
    sys.exit(main())
