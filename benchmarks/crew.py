"""The other end of the workers: one process per system, of which one at a time has work."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from .environments import ROOT, published_interpreter
from .peers import PEERS
from .processes import await_end


class Unavailable(Exception):
    """A system, or what was asked of it, is not to be had here."""


class Member:
    """A worker process."""

    def __init__(self, system: str, conninfo: str, size: int) -> None:
        self.system = system
        self.title = PEERS[system].title
        interpreter = published_interpreter() if PEERS[system].elsewhere else sys.executable
        if interpreter is None:
            raise Unavailable("its environment could not be made")
        self.process = subprocess.Popen(
            [interpreter, "-m", "benchmarks.worker", system, conninfo, str(size)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions: dict[str, str] = {}

    def begin(self) -> None:
        """Wait until it is ready, or end it if it cannot be."""
        try:
            self.versions = self.answer()
        except Unavailable:
            self.dismiss()
            raise

    def ask(self, order: str, **arguments: Any) -> Any:
        """Have an order carried out and return its result."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"order": order, **arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise SystemExit(f"{self.title} has died.") from None
        return self.answer()

    def answer(self) -> Any:
        """Wait for the next answer; what went wrong stands on standard error."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.title} failed: its error is above.")
        answer = json.loads(line)
        if "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
        return answer["result"]

    def let_go(self) -> None:
        """Say that there are no more orders."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def dismiss(self) -> None:
        """End the process: it closes its pool when there are no more orders."""
        self.let_go()
        await_end(self.process)


@contextlib.contextmanager
def hired(
    systems: list[str], conninfo: str, size: int
) -> Iterator[tuple[dict[str, Member], dict[str, str]]]:
    """Yield the workers that could start, and why the others could not."""
    members: dict[str, Member] = {}
    missing: dict[str, str] = {}
    try:
        # All start at once: most of it is importing.
        for system in systems:
            try:
                members[system] = Member(system, conninfo, size)
            except Unavailable as error:
                missing[system] = str(error)
        for system, member in list(members.items()):
            try:
                member.begin()
            except Unavailable as error:
                missing[system] = str(error)
                del members[system]
        yield members, missing
    finally:
        for member in members.values():
            member.let_go()
        for member in members.values():
            member.dismiss()
