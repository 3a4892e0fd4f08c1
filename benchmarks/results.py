"""The file of a run: every sample, and what it was taken on."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from .context import Context, Results
from .database import describe_server
from .environments import ROOT

FOLDER = ROOT / "benchmarks" / "results"
CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")


def describe(context: Context) -> Results:
    """Return what the samples were taken on."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "commit": commit(),
        "options": {name: value for name, value in vars(context.options).items() if value},
        "python": platform.python_version(),
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "memory_gib": memory(),
            "system": platform.platform(terse=True),
            "load_before": getattr(context.options, "load_before", None),
        },
        "postgresql": describe_server(context.conninfo),
    }


def commit() -> str:
    """Return the commit that is measured, and whether files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def processor() -> str:
    """Return the processor's name."""
    if CPUINFO.exists():
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory() -> float | None:
    """Return the machine's memory in GiB."""
    if not MEMINFO.exists():
        return None
    return round(int(MEMINFO.read_text().split()[1]) / 1024**2, 1)


def write(results: Results, name: str) -> Path:
    """Write a run's file and return its path."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}.json"
    path.write_text(in_lines(json.dumps(rounded(results), indent=1)) + "\n")
    return path


def in_lines(text: str) -> str:
    """Return JSON with each innermost object, a sample, in a line of its own."""
    return re.sub(r"\{[^{}\[\]]*\}", lambda found: " ".join(found[0].split()), text)


def rounded(value: Any) -> Any:
    """Return the same with figures that are no longer than what they tell."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def read(path: Path) -> Results:
    """Return what a run's file holds."""
    try:
        found: Results = json.loads(path.read_text())
    except FileNotFoundError:
        raise SystemExit(f"There is no {path}: `make bench` writes such files.") from None
    except json.JSONDecodeError as error:
        raise SystemExit(f"{path} is no results file: {error}") from None
    return found


def newest() -> Path:
    """Return the file of the newest whole run."""
    found = sorted(FOLDER.glob("*-full.json"))
    if not found:
        raise SystemExit("There are no results of a whole run yet: `make bench` writes them.")
    return found[-1]
