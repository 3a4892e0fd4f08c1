"""What a request to Django REST framework costs: stock, with adrf, aiodrf and Turbo ORM.

Real servers (uvicorn, one process, uvloop), real requests (wrk). The systems take turns, so that a
drift of the machine hits all alike. Answers are checked before anything is timed; warming up is not
counted.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from .database import require_connections, server, temporary_database
from .drfs.cases import CASES, fits
from .drfs.project import APPS, SYSTEMS
from .served.cases import Case
from .served.report import header, plus_minus, row
from .served.server import Server
from .served.wrk import Load, load, require_wrk

STOCK, OURS = "drf", "turbo"
# As many different answers of a case are compared with what they must say.
CHECKED = 5
Servers = dict[tuple[str, bool], Server]
Results = dict[str, dict[str, list[Load]]]


def turns(servers: Servers, options: argparse.Namespace) -> Iterator[tuple[Case, str, Server]]:
    """Yield each case with each system."""
    for name in options.cases:
        for system in options.systems:
            yield CASES[name], system, servers[system, CASES[name].middleware]


def check(servers: Servers, options: argparse.Namespace) -> None:
    """Compare answers with what they must say; a wrong one ends the run."""
    chance = random.Random(5)
    for case, system, asked in turns(servers, options):
        upper = case.numbers if case.body is None else 10**9
        for number in {chance.randint(1, upper) for _ in range(CHECKED)}:
            status, answer = ask(asked, case, number)
            if status not in {200, 201} or not fits(answer, case.page(number)):
                said = f"{status}: {answer[:300]}"
                raise asked.failure(f"{SYSTEMS[system]} answers {case.path} ({number}) with {said}")
        tell(f"{case.title}: {SYSTEMS[system]} answers rightly")


def ask(asked: Server, case: Case, number: int) -> tuple[int, str]:
    """Ask for one page of a case, or write one thing."""
    if case.body is None:
        return asked.get(case.path % number)
    return asked.get(case.path, case.body % number)


def run(servers: Servers, options: argparse.Namespace) -> Results:
    """Warm up, then let the systems take turns."""
    results: Results = {case: {name: [] for name in options.systems} for case in options.cases}
    for case, _, asked in turns(servers, options):
        # adrf's list takes seconds where many ask for it.
        load(asked, case, min(options.clients, 8), 2)
    for number in range(options.rounds):
        began = time.monotonic()
        for case, system, asked in turns(servers, options):
            taken = load(asked, case, options.clients, options.seconds)
            results[case.name][system].append(taken)
        tell(f"round {number + 1} of {options.rounds}: {time.monotonic() - began:.0f} s")
    return results


def tables(results: Results, systems: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "Requests per second: median over rounds ± median distance from it; CPU µs per request;"
    yield "and how many times as many requests Turbo ORM answers (by CPU: how much less each costs)"
    yield ""
    others = [system for system in systems if system != OURS]
    yield from header(
        "case",
        [
            *(SYSTEMS[system] for system in systems),
            *(f"x {SYSTEMS[system]}" for system in others),
            "goal",
        ],
    )
    for name, rounds in results.items():
        cells = [
            f"{plus_minus(rounds[system], 'per_second')}, {cpu(rounds[system]):,.0f} µs"
            for system in systems
        ]
        compared = [times(rounds[OURS], rounds[system]) for system in others if OURS in systems]
        yield row(CASES[name].title, [*cells, *compared, aim(CASES[name], rounds)])


def cpu(loads: Sequence[Load]) -> float:
    """Return what a request costs the server's process."""
    return statistics.median(load.cpu_us for load in loads)


def times(ours: Sequence[Load], theirs: Sequence[Load]) -> str:
    """Return the ratio of two systems; each round is compared with itself."""
    return f"{ratio(ours, theirs):.1f} ({cpu(theirs) / cpu(ours):.1f} by CPU)"


def ratio(ours: Sequence[Load], theirs: Sequence[Load]) -> float:
    """Return the median over rounds of how many times as many requests are answered."""
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(mine.per_second / other.per_second for mine, other in pairs)


def aim(case: Case, rounds: dict[str, list[Load]]) -> str:
    """Return whether the goal is reached: against stock DRF, and ahead of the others."""
    if case.goal is None or not set(SYSTEMS) <= set(rounds):
        return ""
    reached = ratio(rounds[OURS], rounds[STOCK]) >= case.goal and all(
        ratio(rounds[OURS], rounds[system]) > 1 for system in SYSTEMS if system != OURS
    )
    said = f"≥ {case.goal:g} x {SYSTEMS[STOCK]}, ahead of all"
    return f"{said}, {'reached' if reached else 'missed'}"


def tell(message: str) -> None:
    """Show progress; standard output belongs to the table."""
    print(f"drf: {message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def running(conninfo: str, options: argparse.Namespace) -> Iterator[Servers]:
    """Yield the servers; end them whatever happens."""
    from .drfs.models import fill

    fill()
    servers: Servers = {}
    with contextlib.ExitStack() as stack:
        for system in options.systems:
            for middleware in variants(options):
                started = Server(
                    system,
                    conninfo,
                    middleware=middleware,
                    connections=options.connections,
                    worker="benchmarks.drfs.worker",
                )
                stack.callback(started.stop)
                servers[system, middleware] = started
        yield servers


def variants(options: argparse.Namespace) -> set[bool]:
    """Return with and without which middleware servers are needed."""
    return {CASES[name].middleware for name in options.cases}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drf", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="per round, case and system")
    parser.add_argument("--clients", type=int, default=32, help="connections that wrk keeps open")
    parser.add_argument("--connections", type=int, default=15, help="in the pool of each server")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--check", action="store_true", help="check the answers and stop")
    return parser.parse_args(arguments)


def main() -> None:
    """Make the database, start the servers, check, time, print."""
    options: Any = parse()
    if not options.check:
        require_wrk()
    wanted = len(options.systems) * len(variants(options)) * options.connections
    require_connections(server(), wanted)
    with temporary_database(APPS) as conninfo, running(conninfo, options) as servers:
        check(servers, options)
        if not options.check:
            print("\n".join(tables(run(servers, options), options.systems)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
