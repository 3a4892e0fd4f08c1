"""The table of a run, for the terminal and for the documentation."""

from __future__ import annotations

import platform
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import django
import psycopg

from .expected import differences

COLUMNS = ("passed", "skipped", "server", "expected", "failed")


HEADINGS = (
    *("mode", "group", "run", "passed", "skipped"),
    *("not on this server", "expected differences", "failures"),
)


class Row(NamedTuple):
    """The figures of one mode and group."""

    mode: str
    group: str
    counts: Counter[str]


def table(rows: list[Row]) -> str:
    """Return the figures as a Markdown table, with a sum for each mode."""
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for mode in dict.fromkeys(row.mode for row in rows):
        mine = [row for row in rows if row.mode == mode]
        lines += [_line(mode, row.group, row.counts) for row in mine]
        total: Counter[str] = Counter()
        for row in mine:
            total.update(row.counts)
        lines.append(_line(mode, "**all**", total))
    return "\n".join(lines)


def _line(mode: str, group: str, counts: Counter[str]) -> str:
    figures = " | ".join(str(counts[column]) for column in COLUMNS)
    return f"| {mode} | {group} | {sum(counts.values())} | {figures} |"


def write_page(page: Path, text: str) -> None:
    """Write the page of the documentation that shows a run."""
    page.parent.mkdir(exist_ok=True)
    reasons = "\n".join(
        f"- `{entry.pattern}` ({', '.join(sorted(entry.modes))}): {entry.reason}"
        for entry in differences()
    )
    page.write_text(
        f"""# Conformance: Django's own test suite

Django's tests, from its source distribution, run on PostgreSQL through Turbo ORM: `make
conformance`. This page is written by that command.

Django {django.get_version()}, psycopg {psycopg.__version__}, Python {platform.python_version()} on
{sys.platform}.

- **bridge**: each synchronous test, set-up and tear-down included, runs in the bridge; no query
  goes over a synchronous connection.
- **native**: what a test calls is replaced by awaiting its `a*` twin in a task outside the bridge,
  `with transaction.atomic()` by our block, iteration by `async for`; `models.Manager` and
  `models.QuerySet` are ours.
- **async**: Django's own coroutine tests, with every thread hop made to fail.
- **serving**: our handlers in the place of Django's, under `get_asgi_application()` and both test
  clients, in the tests of handlers, middleware and what requests pass through.

{text}

"Not on this server" is what fails in plain Django too on an embedded PostgreSQL, which is built
without OpenSSL and ICU.

## Expected differences

{reasons}
""",
        encoding="utf-8",
    )
