"""wrk: what makes the requests and counts the answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from .cases import Case
from .server import Server

SCRIPT = Path(__file__).with_name("numbers.lua")
# How often a process's clock ticks.
TICK = 0.01
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class Load(NamedTuple):
    """What wrk saw, and what the server used for it."""

    requests: int
    per_second: float
    median_ms: float
    p99_ms: float
    cpu_us: float


class NoAnswer(Exception):
    """The time was too short for a single answer."""


def require_wrk() -> str:
    """Return where wrk is, or end the run with advice."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("wrk makes the requests, and is missing: apt-get install wrk")
    return found


def load(server: Server, case: Case, clients: int, seconds: int) -> Load:
    """Ask for the pages of a case over this many connections for so long."""
    before = server.cpu_seconds()
    done = subprocess.run(
        [
            *(require_wrk(), "--latency", "-t1", f"-c{clients}", f"-d{seconds}s"),
            *("--timeout", "20s", "-H", f"Cookie: {server.cookie}", "-s", str(SCRIPT)),
            f"http://127.0.0.1:{server.port}",
        ],
        env={**os.environ, **variables(case)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or "Socket errors" in done.stdout or "Non-2xx" in done.stdout:
        raise server.failure(f"{case.title} failed:\n{done.stdout}{done.stderr}")
    return read(done.stdout, max(server.cpu_seconds() - before, TICK))


def variables(case: Case) -> dict[str, str]:
    """Return what the script finds in its environment."""
    named = {"BENCH_PATH": case.path, "BENCH_NUMBERS": str(case.numbers)}
    if case.body is not None:
        # Larger than what the last run sent: nobody sends a million a second.
        named |= {"BENCH_BODY": case.body, "BENCH_FIRST": str(time.time_ns() // 1000)}
    return named


def read(output: str, cpu_seconds: float) -> Load:
    """Return the figures that stand in wrk's output."""
    requests = int(found(r"(\d+) requests in", output))
    if not requests:
        raise NoAnswer("no request was answered in that time")
    return Load(
        requests=requests,
        per_second=float(found(r"Requests/sec:\s+([\d.]+)", output)),
        median_ms=milliseconds(found(r"^ +50% +(\S+)", output)),
        p99_ms=milliseconds(found(r"^ +99% +(\S+)", output)),
        cpu_us=cpu_seconds / requests * 1e6,
    )


def found(pattern: str, output: str) -> str:
    """Return the first group of a pattern that must be there."""
    match = re.search(pattern, output, re.MULTILINE)
    if match is None:
        raise SystemExit(f"wrk said something else than expected:\n{output}")
    return match[1]


def milliseconds(duration: str) -> float:
    """Return a duration as wrk writes it in milliseconds."""
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", duration).groups()  # type: ignore[union-attr]
    return float(number) * MILLISECONDS[unit]
