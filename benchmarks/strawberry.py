"""What an operation of strawberry-django's costs: stock, with both views, and with Turbo ORM.

Real servers (uvicorn, one process, uvloop), real requests (wrk). The systems take turns, so that a
drift of the machine hits all alike. Answers are checked before anything is timed; warming up is not
counted.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from .database import require_connections, server, temporary_database
from .ninja import cpu, ratio, times
from .served.cases import Case
from .served.report import header, plus_minus, row
from .served.server import Server
from .served.wrk import Load, load, require_wrk
from .strawberries.cases import CASES, same
from .strawberries.project import APPS, SYSTEMS

OURS = "turbo"
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
        for number in {chance.randint(1, case.numbers) for _ in range(CHECKED)}:
            assert case.body is not None
            sent = case.body % number
            status, answer = asked.get(case.path, sent)
            if status != 200 or not same(answer, case.page(number)):
                said = f"{status}: {answer[:300]}"
                raise asked.failure(f"{SYSTEMS[system]} answers {sent} with {said}")
        tell(f"{case.title}: {SYSTEMS[system]} answers rightly")


def run(servers: Servers, options: argparse.Namespace) -> Results:
    """Warm up, then let the systems take turns."""
    results: Results = {case: {name: [] for name in options.systems} for case in options.cases}
    for case, _, asked in turns(servers, options):
        load(asked, case, options.clients, 1)
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


def aim(case: Case, rounds: dict[str, list[Load]]) -> str:
    """Return whether the goal, against asynchronous views, is reached."""
    if case.goal is None or not {OURS, "async"} <= set(rounds):
        return ""
    reached = ratio(rounds[OURS], rounds["async"]) >= case.goal
    return f"≥ {case.goal:g} x asynchronous, {'reached' if reached else 'missed'}"


def tell(message: str) -> None:
    """Show progress; standard output belongs to the table."""
    print(f"strawberry: {message}", file=sys.stderr, flush=True)


def variants(options: argparse.Namespace) -> set[bool]:
    """Return whether the cases want servers without middleware, with it, or both."""
    return {CASES[name].middleware for name in options.cases}


@contextlib.contextmanager
def running(conninfo: str, options: argparse.Namespace) -> Iterator[Servers]:
    """Yield the servers; end them whatever happens."""
    from .strawberries.filling import fill

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
                    worker="benchmarks.strawberries.worker",
                )
                stack.callback(started.stop)
                servers[system, middleware] = started
        yield servers


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strawberry", description=__doc__)
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
    require_connections(
        server(), len(options.systems) * len(variants(options)) * options.connections
    )
    with temporary_database(APPS) as conninfo, running(conninfo, options) as servers:
        check(servers, options)
        if not options.check:
            print("\n".join(tables(run(servers, options), options.systems)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
