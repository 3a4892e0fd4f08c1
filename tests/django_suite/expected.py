"""The expected differences: tests of Django's that cannot pass here, each with its reason."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import NamedTuple

import django

LIST = Path(__file__).with_name("expected.txt")
# How many tests may differ.
LIMITS = {"bridge": 20, "native": 40, "async": 10, "serving": 10}


class Difference(NamedTuple):
    """One line of the list."""

    modes: frozenset[str]
    versions: str
    pattern: str
    reason: str


def differences() -> list[Difference]:
    """Return every entry of the list that concerns the installed Django."""
    found = []
    for line in LIST.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            modes, versions, pattern, reason = (part.strip() for part in line.split("|"))
            found.append(Difference(frozenset(modes.split(",")), versions, pattern, reason))
    return [entry for entry in found if _concerns(entry.versions)]


def _concerns(versions: str) -> bool:
    return versions == "*" or ".".join(map(str, django.VERSION[:2])) in versions.split(",")


def reason_for(test: str, mode: str, entries: list[Difference]) -> str | None:
    """Return why a test is expected not to pass, None if it is not."""
    for entry in entries:
        if mode in entry.modes and fnmatch.fnmatchcase(test, entry.pattern):
            return entry.reason
    return None
