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

from .apps import chosen, shared_out
from .judge import (
    dishonest,
    of_apps,
    plans_remark,
    problems_of,
    remark,
    rows_of,
    unexpected_of,
    unneeded,
)
from .report import Row, table, write_page
from .source import tests_of_django

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Read the options, run the modes, report; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.django_suite", description=__doc__)
    parser.add_argument("--modes", default="bridge native async")
    parser.add_argument("--apps", default=os.environ.get("APPS", ""))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="write docs/conformance.md")
    parser.add_argument("--baseline", action="store_true", help="compare with plain Django")
    options = parser.parse_args()
    folder = tests_of_django()
    rows: list[Row] = []
    problems: list[str] = []
    remarks: list[str] = []
    compared = set(options.modes.split()) - {"async"} if options.baseline else set()
    plain = baseline(compared, options.apps, options.jobs, folder)
    for mode in options.modes.split():
        apps = chosen(mode, options.apps, folder)
        print(f"Django {django.get_version()}, mode {mode}: {len(apps)} applications", flush=True)
        result = run(mode, apps, options.jobs, folder)
        rows += rows_of(mode, result["outcomes"])
        problems += problems_of(mode, result)
        theirs = of_apps(apps, plain) if mode in compared else None
        if theirs is not None:
            problems += dishonest(mode, result["outcomes"], theirs)
        remarks.append(remark(mode, result, theirs))
        remarks.append(plans_remark(mode, result["plans"]))
        if not options.apps:
            for pattern in unneeded(mode, result["outcomes"]):
                print(f"  expected to differ, but did not: {pattern}")
    text = "\n".join([table(rows), "", *remarks])
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
        merged["plans"] = Counter()
        for child, report, log in children:
            wait_for(child, mode, began)
            if not report.exists():
                merged["crashed"].append(log.read_text("utf-8", "replace")[-6000:])
                continue
            found = json.loads(report.read_text("utf-8"))
            merged["outcomes"].update(found["outcomes"])
            merged["bridged"] += found["bridged"]
            merged["synchronous"] += found["synchronous"]
            merged["plans"].update(found["plans"])
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


def baseline(modes: set[str], only: str, jobs: int, folder: Path) -> dict[str, str]:
    """Return what becomes of the tests of these modes in plain Django on the same server."""
    apps = {app: None for mode in sorted(modes) for app in chosen(mode, only, folder)}
    if not apps:
        return {}
    print(f"Plain Django {django.get_version()}: {len(apps)} applications", flush=True)
    result = run("sync", list(apps), jobs, folder)
    if result["crashed"]:
        sys.exit("A process of plain Django died:\n" + "\n".join(result["crashed"]))
    outcomes: dict[str, str] = result["outcomes"]
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
