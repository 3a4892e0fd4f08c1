"""The last line of a CI run: the sum of what every job ran."""

import pytest

from scripts.totals import of_log, of_logs

TABLE = """\
| mode | group | run | passed | skipped | not on this server | expected differences | failures |
|---|---|--:|--:|--:|--:|--:|--:|
| native | querysets | 10 | 7 | 1 | 1 | 1 | 0 |
| native | **all** | 16 | 9 | 1 | 2 | 3 | 1 |
"""


@pytest.mark.parametrize(
    ("log", "counts"),
    [
        ("===== 981 passed, 4 skipped in 207.31s (0:03:27) =====\n", (981, 0, 4)),
        ("1 failed, 2 passed, 3 deselected, 1 xfailed, 2 errors in 0.10s\n", (2, 3, 1)),
        ("===== no tests ran in 0.01s =====\n", (0, 0, 0)),
        ("installed 12 packages in 5s, 3 passed on\n", (0, 0, 0)),
        (TABLE, (9, 1, 6)),
        (f"{TABLE}2 passed in 0.10s\n", (11, 1, 6)),
        ("mypy: error\nFAILED: check\n", (0, 1, 0)),
        ("1 failed in 0.10s\nFAILED: tests\n", (0, 1, 0)),
    ],
)
def test_the_closing_lines_of_a_log_are_added_up(log, counts):
    found = of_log(log)
    assert (found["passed"], found["failed"], found["skipped"]) == counts


def test_one_line_sums_every_log(tmp_path):
    for name, text in (("0.log", "2 passed in 0.10s\n"), ("1.log", TABLE)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert of_logs(tmp_path.iterdir()) == "ci: 11 passed, 1 failed, 6 skipped"
