"""Add up the tests that ran, from what pytest and Django's suite said at the end of each log.

One line of it is for those who read nothing but the last one: `ci: 5 passed, 0 failed, 1 skipped`.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Iterable

# "=== 3 failed, 981 passed, 4 skipped in 207.31s (0:03:27) ===", and the same without the frame.
PYTEST = re.compile(
    r"^=*\s*((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s(?: \([\d:]+\))?\s*=*$", re.MULTILINE
)
# | mode | **all** | run | passed | skipped | not on this server | expected | failures |
SUITE = re.compile(r"^\| \w+ \| \*\*all\*\* \|((?: +\d+ \|){6})$", re.MULTILINE)
FAILED_JOB = re.compile(r"^FAILED: ", re.MULTILINE)
# What is neither a success nor a failure counts as skipped.
WORDS = {"passed": "passed", "failed": "failed", "error": "failed", "errors": "failed"}
IGNORED = {"deselected", "warning", "warnings", "rerun"}


def of_log(text: str) -> Counter[str]:
    """Return how many tests passed, failed and were skipped in one job."""
    counts: Counter[str] = Counter()
    for line in PYTEST.findall(text):
        for number, word in re.findall(r"(\d+) ([a-z]+)", line):
            if word not in IGNORED:
                counts[WORDS.get(word, "skipped")] += int(number)
    for figures in SUITE.findall(text):
        _, passed, skipped, server, expected, failed = map(int, re.findall(r"\d+", figures))
        counts.update(passed=passed, skipped=skipped + server + expected, failed=failed)
    # A linter's complaint, or a run that died before its last line, is a failure as well.
    if FAILED_JOB.search(text) and not counts["failed"]:
        counts["failed"] = 1
    return counts


def of_logs(logs: Iterable[Path]) -> str:
    """Return the line with the sum over all logs."""
    total: Counter[str] = Counter()
    for log in logs:
        total.update(of_log(log.read_text(encoding="utf-8", errors="replace")))
    return f"ci: {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped"
