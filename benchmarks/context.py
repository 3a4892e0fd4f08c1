"""What all parts of a run share: the options, the database, what is to be said in the end."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from .crew import Member
from .peers import PEERS

BEGAN = time.monotonic()


@dataclass
class Context:
    """A run, as its parts see it."""

    options: argparse.Namespace
    conninfo: str
    # The value of a session's cookie, for the pages.
    cookie: str = ""
    notes: list[str] = field(default_factory=list)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Remember what is to be said below the tables, once."""
        if text not in self.notes:
            self.notes.append(text)

    def note_crew(self, members: dict[str, Member], missing: dict[str, str]) -> None:
        """Remember the versions of those who came, and why others did not."""
        self.versions |= {system: member.versions for system, member in members.items()}
        for system, why in missing.items():
            self.note(f"{PEERS[system].title}: {why}")


def tell(message: str) -> None:
    """Show progress; standard output belongs to the tables."""
    elapsed = time.monotonic() - BEGAN
    print(f"bench: {elapsed:4.0f} s  {message}", file=sys.stderr, flush=True)


Results = dict[str, Any]
