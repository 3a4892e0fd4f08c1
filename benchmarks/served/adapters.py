"""What the benchmarks of all adapters do: an API on each system, from the options to the table."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from benchmarks.database import require_connections, server, temporary_database
from benchmarks.report import Samples, median_and_spread, median_of, times_as_fast
from benchmarks.tagged.answers import fits

from .cases import Case
from .report import header, row
from .server import Server
from .turns import Pace, Results, Servers, Turn, check, measure, running
from .wrk import require_wrk

OURS = "turbo"
HOW = """\
Real servers (uvicorn, one process, uvloop), real requests (wrk). The systems take turns, so that a
drift of the machine hits all alike. Answers are checked before anything is timed; warming up is not
counted."""


@dataclass(frozen=True)
class Adapter:
    """What is compared, what is asked, and what is aimed at.

    Args:
        name: the script's.
        description: what is measured, in a line.
        project: has the SYSTEMS with their titles, the APPS that the tables belong to, and an
            `application()` that makes the application of a system.
        cases: what is asked, by name.
        rival: the system that a case's goal is about.
        rival_title: what it is called beside a goal.
        fits: tells whether an answer says what it must.
        ahead_of_all: whether the goal is to be ahead of all other systems as well.
        warm_seconds: how long each case of a system is asked for before anything counts.
        warm_clients: how many ask at most meanwhile.
    """

    name: str
    description: str
    project: ModuleType
    cases: Mapping[str, Case]
    rival: str
    rival_title: str
    fits: Callable[[str, str], bool] = fits
    ahead_of_all: bool = False
    warm_seconds: int = 1
    warm_clients: int | None = None

    @property
    def systems(self) -> dict[str, str]:
        """The names of the systems, and their titles in the table."""
        return dict(self.project.SYSTEMS)

    def tell(self, message: str) -> None:
        """Show progress; standard output belongs to the table."""
        print(f"{self.name}: {message}", file=sys.stderr, flush=True)

    def aim(self, case: Case, samples: Samples) -> str:
        """Return what a case's goal is and whether it is reached."""
        behind = {*self.systems} - {OURS} if self.ahead_of_all else set()
        if case.goal is None or not {OURS, self.rival, *behind} <= set(samples):
            return ""
        reached = ratio(samples, self.rival) >= case.goal and all(
            ratio(samples, other) > 1 for other in behind
        )
        said = f"≥ {case.goal:g} x {self.rival_title}{', ahead of all' * self.ahead_of_all}"
        return f"{said}, {'reached' if reached else 'missed'}"


def main(adapter: Adapter) -> None:
    """Run the benchmark of an adapter, until it ends or is told to."""
    try:
        run(adapter, parse(adapter))
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def parse(adapter: Adapter) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{adapter.name}", description=f"{adapter.description} {HOW}"
    )
    systems, cases = adapter.systems, adapter.cases
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="per round, case and system")
    parser.add_argument("--clients", type=int, default=32, help="connections that wrk keeps open")
    parser.add_argument("--connections", type=int, default=15, help="in the pool of each server")
    parser.add_argument("--systems", nargs="+", choices=systems, default=list(systems))
    parser.add_argument("--cases", nargs="+", choices=cases, default=list(cases))
    parser.add_argument("--check", action="store_true", help="check the answers and stop")
    return parser.parse_args()


def run(adapter: Adapter, options: argparse.Namespace) -> None:
    """Make the database, start the servers, check, time, print."""
    if not options.check:
        require_wrk()
    variants = {adapter.cases[name].middleware for name in options.cases}
    wanted = [(system, middleware) for system in options.systems for middleware in variants]
    require_connections(server(), len(wanted) * options.connections)
    with temporary_database(adapter.project.APPS) as conninfo:
        from benchmarks.tagged.models import fill

        fill()

        def start(system: str, middleware: bool) -> Server:
            return Server(
                system,
                conninfo,
                middleware=middleware,
                connections=options.connections,
                project=adapter.project.__name__,
            )

        with running(start, wanted) as servers:
            turns = list(all_turns(adapter, options, servers))
            check_all(adapter, turns)
            if not options.check:
                results = measure(turns, pace(adapter, options), adapter.tell)
                print("\n".join(table(adapter, results, options.systems)))


def all_turns(adapter: Adapter, options: argparse.Namespace, servers: Servers) -> Iterator[Turn]:
    """Yield each case with each system."""
    for case in (adapter.cases[name] for name in options.cases):
        for system in options.systems:
            yield Turn(case, system, adapter.systems[system], servers[system, case.middleware])


def check_all(adapter: Adapter, turns: Sequence[Turn]) -> None:
    """Compare the answers of all systems with what they must say."""
    # One for all: what one system has written, no other can write again.
    chance = random.Random(5)
    for turn in turns:
        check(turn, chance, lambda case, number, said: adapter.fits(said, case.page(number)))
        adapter.tell(f"{turn.case.title}: {turn.title} answers rightly")


def pace(adapter: Adapter, options: argparse.Namespace) -> Pace:
    """Return what was asked for, and how this adapter's systems are warmed up."""
    clients = options.clients
    warm_clients = min(clients, adapter.warm_clients or clients)
    return Pace(options.rounds, options.seconds, clients, adapter.warm_seconds, warm_clients)


def table(adapter: Adapter, results: Results, systems: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "Requests per second: median over rounds ± median distance from it; CPU µs per request;"
    yield "and how many times as many requests Turbo ORM answers (by CPU: how much less each costs)"
    yield ""
    titles = [adapter.systems[system] for system in systems]
    others = [system for system in systems if system != OURS]
    compared = [f"x {adapter.systems[system]}" for system in others]
    yield from header("case", [*titles, *compared, "goal"])
    for name, samples in results.items():
        cells = [rate(samples, system) for system in systems]
        ratios = [times(samples, system) for system in others if OURS in systems]
        case = adapter.cases[name]
        yield row(case.title, [*cells, *ratios, adapter.aim(case, samples)])


def rate(samples: Samples, system: str) -> str:
    """Return a system's requests per second, and what each costs it."""
    median, spread = median_and_spread([sample["per_second"] for sample in samples[system]])
    return f"{median:,.0f} ± {spread:,.0f}, {cpu(samples, system):,.0f} µs"


def cpu(samples: Samples, system: str) -> float:
    """Return what a request costs the server's process."""
    return median_of(samples[system], "cpu_us")


def times(samples: Samples, other: str) -> str:
    """Return how many times as many requests are answered as by another, by the clock and CPU."""
    by_cpu = cpu(samples, other) / cpu(samples, OURS)
    return f"{ratio(samples, other):.1f} ({by_cpu:.1f} by CPU)"


def ratio(samples: Samples, other: str) -> float:
    """Return how many times as many requests are answered as by another system."""
    # It is per second, not per operation: the other way round.
    return times_as_fast(samples, other, OURS, "per_second") or 0.0
