"""Run DRF's own tests with our views and without, print a table, fail on what is not expected.

Arguments are pytest's: ``python -m tests.drf_suite tests/test_views.py -k decorators``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rest_framework

from .judge import Run, expected, failures, problems, row
from .source import tests_of_drf

# DRF's tests are a package of the same name: what they need of ours is imported from its folder.
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HEADER = """| mode | | tests | passed | skipped | fail in plain DRF too | expected | failures |
|---|---|--:|--:|--:|--:|--:|--:|"""


def run(mode: str, folder: Path, arguments: list[str]) -> tuple[Run, dict[str, str]]:
    """Run the suite in one mode; return what it reports, and what failed tests said."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        child = subprocess.Popen(
            [sys.executable, "-u", str(HERE / "turbo_drf_child.py"), *arguments],
            cwd=folder,
            env={
                **os.environ,
                "TURBO_SUITE_MODE": mode,
                "TURBO_SUITE_REPORT": str(report),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output, _ = child.communicate()
        if not report.exists():
            raise SystemExit(f"The tests did not run to their end ({mode}):\n{output[-6000:]}")
        found = json.loads(report.read_text("utf-8"))
    details = found.pop("details")
    print(
        f"  {mode}: {len(found['outcomes'])} tests in {time.monotonic() - began:.0f} s", flush=True
    )
    return Run(**found), details


def main(arguments: list[str]) -> int:
    """Run both modes, report, and return the exit code."""
    folder = tests_of_drf()
    print(f"DRF {rest_framework.VERSION}: its own tests, on PostgreSQL", flush=True)
    plain, _ = run("plain", folder, arguments)
    ours, details = run("turbo", folder, arguments)
    for test in failures(ours, plain):
        print(f"\n{test}\n{details.get(test, '')}")
    print(HEADER)
    print(row(ours, plain))
    print(
        f"\n{ours.requests} requests to coroutine functions; "
        f"{ours.bridged} statements in the bridge, {ours.synchronous} past it"
    )
    for test, reason in expected().items():
        print(f"  expected: {test.rpartition('::')[2]}: {reason}")
    wrong = problems(ours, plain, whole=not arguments)
    for problem in wrong:
        print(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
