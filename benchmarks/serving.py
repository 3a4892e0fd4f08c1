"""What a request costs: one Django project, served by Django's own handler and by Turbo ORM's.

Real servers (uvicorn, one process, uvloop), real requests (wrk). The systems take turns (A B A B),
so that a drift of the machine hits both alike. Pages are checked before anything is timed; warming
up is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

from .database import require_connections, server, temporary_database
from .served import report
from .served.cases import CASES, Case
from .served.project import APPS, SYSTEMS, log_in
from .served.server import Server
from .served.wrk import Load, load, require_wrk

# A server for each system with the default middleware, and one without.
VARIANTS = (False, True)
# As many different pages of a case are compared with what they must say.
CHECKED = 10
Servers = dict[tuple[str, bool], Server]


class Benchmark:
    """All rounds of all cases with all systems."""

    def __init__(self, servers: Servers, options: argparse.Namespace) -> None:
        self.servers = servers
        self.options = options
        self.results: dict[str, dict[str, list[Load]]] = {
            case: {system: [] for system in options.systems} for case in options.cases
        }

    def turns(self) -> Iterator[tuple[Case, str, Server]]:
        """Yield each case with each system."""
        for name in self.results:
            for system in self.options.systems:
                case = CASES[name]
                yield case, system, self.servers[system, case.middleware]

    def check(self) -> None:
        """Compare pages with what they must say; a wrong one ends the run."""
        chance = random.Random(5)
        for case, system, asked in self.turns():
            for number in {chance.randint(1, case.numbers) for _ in range(CHECKED)}:
                path = case.path % number if "%" in case.path else case.path
                answer = asked.get(path)
                if answer != (200, case.page(number)):
                    raise asked.failure(f"{SYSTEMS[system]} answers {path} with {answer}")
            tell(f"{case.title}: {SYSTEMS[system]} answers rightly")

    def run(self) -> None:
        """Warm up, then let the systems take turns."""
        for case, _, asked in self.turns():
            load(asked, case, self.options.clients, 1)
        for number in range(self.options.rounds):
            began = time.monotonic()
            for case, system, asked in self.turns():
                taken = load(asked, case, self.options.clients, self.options.seconds)
                self.results[case.name][system].append(taken)
            tell(f"round {number + 1} of {self.options.rounds}: {time.monotonic() - began:.0f} s")


def tell(message: str) -> None:
    """Show progress; standard output belongs to the tables."""
    print(f"serving: {message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def running(conninfo: str, options: argparse.Namespace) -> Iterator[Servers]:
    """Yield the servers; end them whatever happens."""
    cookie = f"sessionid={log_in()}"
    servers: Servers = {}
    with contextlib.ExitStack() as stack:
        for system in options.systems:
            for middleware in VARIANTS:
                started = Server(
                    system, conninfo, middleware=middleware, connections=options.connections
                )
                stack.callback(started.stop)
                started.cookie = cookie
                servers[system, middleware] = started
        yield servers


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="per round, case and system")
    parser.add_argument("--clients", type=int, default=32, help="connections that wrk keeps open")
    parser.add_argument("--connections", type=int, default=20, help="in the pool of each server")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--check", action="store_true", help="check the pages and stop")
    return parser.parse_args(arguments)


def main() -> None:
    """Make the database, start the servers, check, time, print."""
    options: Any = parse()
    if not options.check:
        require_wrk()
    require_connections(server(), len(options.systems) * len(VARIANTS) * options.connections)
    with temporary_database(APPS) as conninfo, running(conninfo, options) as servers:
        benchmark = Benchmark(servers, options)
        benchmark.check()
        if not options.check:
            benchmark.run()
            print("\n".join(report.tables(benchmark.results, options.systems)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
