"""What is made once per run, whichever of the processes of pytest-xdist asks for it first."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def once_per_run(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """Return the folder that `make` has filled; the other processes wait until it has.

    Args:
        factory: pytest's, of the process that asks.
        name: of the folder, the same in every process.
        make: gets a new folder to fill. If it fails, the next process tries again.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Each process has a folder of its own in that of the run.
        shared = shared.parent
    made = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            begun = factory.mktemp(name)
            make(begun)
            begun.rename(made)
    return made
