"""Where a program runs: each wait is a gate, and one is opened, or one task cancelled, at a time.

The next step is done when every task waits at a gate, or for another task: the clock decides
nothing.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from tests.waiting import PATIENCE

# Rounds of the loop in which nothing may happen before a stage counts as at rest: from one task to
# the next that waits for it, through groups and shields, are a few.
QUIET = 12
# Seconds.
GLANCE = 0.0003


class Actor:
    """A task of a program."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.task = asyncio.current_task()
        self.joins = False
        # What it waits at; None if it is at work.
        self.gate: Gate | None = None

    @property
    def at_work(self) -> bool:
        """Whether it goes on by itself."""
        return not (self.joins or (self.gate is not None and self.gate.holds))


_actor: ContextVar[Actor] = ContextVar("actor")


class Gate:
    """A point at which a program waits until it is told to go on."""

    def __init__(
        self, number: int, release: Callable[[], object], *, shielded: bool = False
    ) -> None:
        self.number = number
        self.actor = _actor.get()
        self.shielded = shielded
        self.opened = False
        self._release = release

    def open(self) -> None:
        """Let whoever waits here go on."""
        self.opened = True
        self._release()

    @property
    def holds(self) -> bool:
        """Whether it is reached, and not opened yet."""
        return not self.opened


class GateAtServer(Gate):
    """A statement that the server answers only when it is told to."""

    connection: Any = None

    @property
    def holds(self) -> bool:
        """Whether the server has the statement, and is to say nothing yet."""
        return not self.opened and self.connection.waiting_statement is not None


@contextlib.contextmanager
def joining() -> Iterator[None]:
    """Wait for what other tasks do."""
    actor = _actor.get()
    actor.joins = True
    try:
        yield
    finally:
        actor.joins = False


class Stage:
    """One run of a program."""

    def __init__(self, release: Callable[[int], None]) -> None:
        self.actors: list[Actor] = []
        self.tasks: list[asyncio.Task[Any]] = []
        # Whose task it is, and how to cancel it, by number of the node.
        self.targets: dict[int, tuple[Actor, Callable[[], object]]] = {}
        self.log: list[tuple[Any, ...]] = []
        self.passed: set[int] = set()
        # Whether how often a task was cancelled depends on how long that took.
        self.counts = True
        self._release = release

    async def act(self, name: int, body: Callable[[], Any]) -> None:
        """Be a task of the program, and one that can be cancelled."""
        actor = Actor(name)
        _actor.set(actor)
        self.actors.append(actor)
        assert actor.task is not None
        with self.target(name, actor.task.cancel):
            try:
                await body()
            finally:
                self.actors.remove(actor)

    def start(self, name: int, body: Callable[[], Any]) -> asyncio.Task[None]:
        """Start a task of the program."""
        task = asyncio.get_running_loop().create_task(self.act(name, body))
        self.tasks.append(task)
        return task

    async def pause(self, number: int, *, shielded: bool = False) -> None:
        """Wait at a gate."""
        event = asyncio.Event()
        with self._at(Gate(number, event.set, shielded=shielded)):
            await event.wait()

    @contextlib.contextmanager
    def at_server(self, number: int, connection: Any) -> Iterator[None]:
        """Wait at a gate for the server's answer on a connection."""
        gate = GateAtServer(number, lambda: self._release(number))
        gate.connection = connection
        with self._at(gate):
            yield

    @contextlib.contextmanager
    def _at(self, gate: Gate) -> Iterator[None]:
        gate.actor.gate = gate
        try:
            yield
        finally:
            gate.actor.gate = None

    @contextlib.contextmanager
    def target(self, number: int, cancel: Callable[[], object]) -> Iterator[None]:
        """Let a step cancel what is going on in the running task."""
        self.targets[number] = _actor.get(), cancel
        try:
            yield
        finally:
            self.targets.pop(number, None)

    def note(self, number: int, what: Any) -> None:
        """Write down what came of a node, and how often its task is being cancelled."""
        task = asyncio.current_task()
        cancelling = task.cancelling() if sys.version_info >= (3, 11) and task else 0
        self.log.append((number, what, cancelling if self.counts else bool(cancelling)))

    async def direct(self, steps: list[tuple[int, list[int]]], ended: Callable[[], bool]) -> None:
        """Do one step after another until the program has ended."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        remaining = iter(steps)
        while not (ended() and all(task.done() for task in self.tasks)):
            await self._rest(deadline)
            waiting = sorted((a.gate for a in self.actors if a.gate), key=lambda gate: gate.number)
            if not waiting:
                continue
            chosen, wanted = next(remaining, (0, []))
            gate = waiting[chosen % len(waiting)]
            live = sorted(self.targets)
            owners = set()
            for number in [live[number % len(live)] for number in wanted] if live else []:
                if number in self.targets:
                    owner, cancel = self.targets[number]
                    owners.add(owner)
                    stays = owner.gate is not None and owner.gate.shielded
                    cancel()
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                    if not stays:
                        # A second cancellation would come anywhere.
                        break
            if owners <= {gate.actor} and (gate.shielded or not owners):
                gate.open()

    async def _rest(self, deadline: float) -> None:
        quiet = busy = 0
        while quiet < QUIET:
            # While the server is at work there is nothing to see in each round.
            await asyncio.sleep(0 if busy < QUIET else GLANCE)
            if any(actor.at_work for actor in self.actors):
                quiet, busy = 0, busy + 1
            else:
                quiet, busy = quiet + 1, 0
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"it does not come to rest: {[vars(a) for a in self.actors]}")
