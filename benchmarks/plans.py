"""What an operation costs: Turbo ORM with its plans and without, and what else one could use.

Each system runs in a process of its own; they take turns (A B C A B C), so that a drift of the
machine hits all alike. Answers are checked before anything is timed; warming up is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import report
from .cases import CASES
from .crew import Member, Unavailable, hired
from .database import describe_server, require_connections, server, temporary_database
from .environments import ROOT
from .micro import SHAPES
from .peers import PEERS

# What can build a query without running it.
BUILDERS = ("turbo", "django")
BUILDING_SECONDS = 0.1
WARMING_SECONDS = 0.5


class Benchmark:
    """All rounds of all cases with all systems that could start."""

    def __init__(self, members: dict[str, Member], options: argparse.Namespace) -> None:
        self.members = members
        self.options = options
        self.operations: dict[str, dict[str, list[dict[str, float]]]] = {
            case: {} for case in options.cases
        }
        self.building: dict[str, dict[str, list[dict[str, float]]]] = {
            shape: {} for shape in SHAPES
        }
        self.notes: list[str] = []

    def check(self) -> None:
        """Have every answer checked; a case that a system does not have is left out."""
        for case, samples in self.operations.items():
            for system, member in self.members.items():
                try:
                    rows = member.ask("check", case=case)
                except Unavailable as error:
                    self.notes.append(f"{member.title}, {case}: {error}")
                    continue
                samples[system] = []
                tell(f"{case}: {member.title} answers rightly ({rows} rows)")
        for shape, samples in self.building.items():
            for system in BUILDERS:
                if system in self.members and self.can_build(system, shape):
                    samples[system] = []

    def can_build(self, system: str, shape: str) -> bool:
        """Tell whether a system can build a query of this shape; the first try is not counted."""
        try:
            self.members[system].ask("build", shape=shape, seconds=BUILDING_SECONDS)
        except Unavailable as error:
            note = f"{self.members[system].title}: {error}"
            self.notes += [] if note in self.notes else [note]
            return False
        return True

    def run(self) -> None:
        """Warm up, then let the systems take turns."""
        for case, system in self.turns():
            self.spend(case, system, min(WARMING_SECONDS, self.options.seconds))
        for number in range(self.options.rounds):
            began = time.monotonic()
            for case, system in self.turns():
                sample = self.spend(case, system, self.options.seconds)
                self.operations[case][system].append(sample)
            for shape, samples in self.building.items():
                for system, taken in samples.items():
                    order = {"shape": shape, "seconds": BUILDING_SECONDS}
                    taken.append(self.members[system].ask("build", **order))
            tell(f"round {number + 1} of {self.options.rounds}: {time.monotonic() - began:.0f} s")

    def turns(self) -> Iterator[tuple[str, str]]:
        """Yield each case with each system that has it."""
        for case, samples in self.operations.items():
            for system in samples:
                yield case, system

    def spend(self, case: str, system: str, seconds: float) -> dict[str, float]:
        """Time one case of one system for so long."""
        order = {"case": case, "tasks": self.options.tasks, "seconds": seconds}
        result: dict[str, float] = self.members[system].ask("spend", **order)
        return result

    def print_tables(self, systems: list[str]) -> None:
        """Print all tables and what is to be said about them."""
        lines = [*report.operations(self.operations, systems), *report.building(self.building)]
        lines += report.goals(self.operations)
        lines += ["", *(f"Note: {note}." for note in self.notes)]
        print("\n".join(lines).rstrip())


def tell(message: str) -> None:
    """Show progress; standard output belongs to the tables."""
    print(f"plans: {message}", file=sys.stderr, flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plans", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="per round, case and system")
    parser.add_argument("--tasks", type=int, default=20, help="and connections in each pool")
    parser.add_argument("--systems", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--check", action="store_true", help="check the answers and stop")
    parser.add_argument("--json", action="store_true", help="write benchmarks/results/*.json too")
    return parser.parse_args(arguments)


def write_json(benchmark: Benchmark, conninfo: str) -> Path:
    """Write every sample, and what it was taken on."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    content: dict[str, Any] = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "commit": commit.stdout.strip(),
        "options": vars(benchmark.options),
        "python": platform.python_version(),
        "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
        "postgresql": describe_server(conninfo),
        "versions": {name: member.versions for name, member in benchmark.members.items()},
        "notes": benchmark.notes,
        "operations": benchmark.operations,
        "building": benchmark.building,
    }
    folder = ROOT / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    path = folder / time.strftime("plans-%Y%m%d-%H%M%S.json")
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def main() -> None:
    """Make the database, start the systems, check, time, print."""
    options = parse()
    systems = list(dict.fromkeys(options.systems))
    require_connections(server(), len(systems) * options.tasks)
    with (
        temporary_database() as conninfo,
        hired(systems, conninfo, options.tasks) as (members, missing),
    ):
        benchmark = Benchmark(members, options)
        benchmark.notes += [f"{PEERS[name].title}: {why}" for name, why in missing.items()]
        benchmark.check()
        if options.check:
            return
        benchmark.run()
        benchmark.print_tables(systems)
        if options.json:
            tell(f"wrote {write_json(benchmark, conninfo).relative_to(ROOT)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
