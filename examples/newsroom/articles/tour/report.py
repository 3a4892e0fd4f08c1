"""Run steps one after the other, and print what each does, its result and its time."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple, TextIO

# What a step returns is its result in brief.
StepFunction = Callable[[], Awaitable[str]]


class Step(NamedTuple):
    """One stop of the tour."""

    title: str
    run: StepFunction


class Surprise(Exception):
    """A step's result is not what it must be."""


def expect(what: str, actual: Any, expected: Any) -> None:
    """Stop the tour unless two values are equal, under `python -O` too (unlike `assert`)."""
    if actual != expected:
        raise Surprise(f"{what}: expected {expected!r}, got {actual!r}")


class Report:
    """Print the tour as three columns: what, result, milliseconds."""

    TITLE_WIDTH = 42
    TIME_WIDTH = 12

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.terminal = self.out.isatty()
        self.width = min(shutil.get_terminal_size((110, 24)).columns, 130)
        self.steps = 0
        self.notes: list[str] = []

    def heading(self, text: str) -> None:
        """Begin a part of the tour."""
        self._print(f"\n{text}\n{'-' * len(text)}")

    async def run(self, steps: list[Step]) -> None:
        """Run the steps in order; the first surprise ends the tour."""
        for step in steps:
            await self.run_step(step)

    async def run_step(self, step: Step) -> None:
        """Run one step, with a sign of life each second."""
        with self.timed(step.title) as finish:
            ticker = asyncio.ensure_future(self._tick(step.title))
            try:
                finish(await step.run())
            finally:
                ticker.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ticker

    @contextlib.contextmanager
    def timed(self, title: str) -> Iterator[Callable[[str], None]]:
        """Time a block; it calls what it is given with its result."""
        started = time.perf_counter()
        result = "FAILED"

        def finish(text: str) -> None:
            nonlocal result
            result = text

        try:
            yield finish
        finally:
            self.steps += 1
            self._line(title, result, (time.perf_counter() - started) * 1000)

    def note(self, text: str) -> None:
        """Add a line to be printed below the step that is running."""
        self.notes.append(text)

    def _line(self, title: str, result: str, milliseconds: float) -> None:
        room = self.width - self.TITLE_WIDTH - self.TIME_WIDTH
        if len(result) > room - 1:
            result = result[: room - 4] + "..."
        self._print(f"  {title:<{self.TITLE_WIDTH - 2}}{result:<{room}}{milliseconds:>9.1f} ms")
        while self.notes:
            self._print(f"    {self.notes.pop(0)}")

    async def _tick(self, title: str) -> None:
        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            self._print(f"  {title}: running for {seconds} s", "\r" if self.terminal else "\n")

    def _print(self, text: str, ending: str = "\n") -> None:
        print(text, end=ending, file=self.out, flush=True)
