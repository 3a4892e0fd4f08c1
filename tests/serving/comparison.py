"""Run every flavour and compare what they did, but for what is known to differ."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .flavours import FLAVOURS, ON_THE_LOOP, STOCK, STOCK_WSGI

ROOT = Path(__file__).parent.parent.parent

Seen = dict[str, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Expected:
    """A line that stock Django gives, and what ours gives in its place.

    Args:
        where: a pattern of ``scenario/step``.
        field: of what was recorded.
        stock: the line, as a pattern; empty if there is none, and ours comes last.
        ours: the lines in its place; empty if there is none.
        reason: why that is right.
        flavours: a pattern of those that differ.
        measure: Django's own handler from which they differ.
    """

    where: str
    field: str
    stock: str
    ours: str
    reason: str
    flavours: str = "*"
    measure: str = STOCK

    def __call__(self, lines: list[str]) -> list[str]:
        """Return stock Django's lines as ours should be."""
        if not self.stock:
            return lines + self.ours.splitlines()
        mapped: list[str] = []
        for line in lines:
            known = fnmatch.fnmatchcase(line, self.stock)
            mapped += self.ours.splitlines() if known else [line]
        return mapped

    def concerns(self, flavour: str, where: str, field: str) -> bool:
        """Tell whether one of ours may differ in one field of one request."""
        return (
            field == self.field
            and fnmatch.fnmatchcase(flavour, self.flavours)
            and fnmatch.fnmatchcase(where, self.where)
        )


def serve_all(folder: Path) -> None:
    """Let each flavour answer every request, in processes and databases of their own.

    Args:
        folder: gets a file of each flavour, for `answers`.
    """
    running = {flavour: _start(flavour, folder) for flavour in FLAVOURS}
    try:
        for flavour, process in running.items():
            output, _ = process.communicate(timeout=300)
            assert (process.returncode, output) == (0, ""), f"{flavour}: {output}"
    finally:
        for process in running.values():
            with process:
                process.kill()


def answers(folder: Path) -> dict[str, Seen]:
    """Return what `serve_all` has written."""
    return {flavour: json.loads((folder / flavour).read_text()) for flavour in FLAVOURS}


def _start(flavour: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.serving", str(folder / flavour)],
        cwd=ROOT,
        env={
            **os.environ,
            # Sets of names are written into SQL in the order of their hashes.
            "PYTHONHASHSEED": "0",
            "SERVING_FLAVOUR": flavour,
            "SERVING_DATABASE": f"turbo_serving_{[*FLAVOURS].index(flavour)}_{os.getpid()}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def differences(
    seen: dict[str, Seen], flavour: str, where: str, expected: tuple[Expected, ...]
) -> str:
    """Return what one of ours did otherwise than stock Django, readable; empty if nothing."""
    found = []
    for field, value in seen[flavour][where].items():
        lines = _expected_lines(seen, flavour, where, field, expected)
        found += [
            f"{field}: {line}"
            for line in difflib.unified_diff(lines, _lines(value), STOCK, flavour, lineterm="", n=2)
        ]
    return "\n".join(found)


def measures(seen: dict[str, Seen], flavour: str, where: str) -> list[str]:
    """Return which of Django's own handlers say what one of ours must do in one request.

    Loading, ours makes its middleware ready for both.
    """
    if flavour == ON_THE_LOOP:
        return [STOCK]
    if where.endswith("/loading"):
        return [STOCK, STOCK_WSGI]
    in_thread = seen[STOCK_WSGI][where]["view"] in {"synchronous", "missing"}
    return [STOCK_WSGI if in_thread else STOCK]


def _expected_lines(
    seen: dict[str, Seen], flavour: str, where: str, field: str, expected: tuple[Expected, ...]
) -> list[str]:
    lines: list[str] = []
    for measure in measures(seen, flavour, where):
        value = seen[measure][where][field]
        part = _lines(value)
        for each in expected:
            if each.measure == measure and each.concerns(flavour, where, field):
                part = each(part)
        lines = lines + part if isinstance(value, list) else part
    return lines


def _lines(value: Any) -> list[str]:
    return value if isinstance(value, list) else str(value).splitlines()
