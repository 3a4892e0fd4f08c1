"""How a worker or a server, which has been told to end, does so."""

from __future__ import annotations

import subprocess

# Closing a pool takes a moment; what takes longer has hung.
PATIENCE = 20


def await_end(process: subprocess.Popen[str]) -> None:
    """Wait until a process has ended, kill it if it hangs, and close its standard output."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stdout is not None
    process.stdout.close()
