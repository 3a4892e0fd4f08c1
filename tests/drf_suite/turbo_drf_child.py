"""The process that runs DRF's tests, from beginning to end in the bridge of one event loop."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

# Behind the others: the folder has packages that are named like distributions.
sys.path.append(str(Path(__file__).resolve().parents[1]))

PLUGINS = ["asyncio", "anyio", "randomly", "cacheprovider", "xdist", "turbo_orm"]


def main() -> int:
    """Run what the command line names."""
    options = ["-p", "turbo_drf_plugin", "--create-db", "-q", "--tb=short"]
    for plugin in PLUGINS:
        options += ["-p", f"no:{plugin}"]
    arguments = [*options, *sys.argv[1:]]
    if os.environ["TURBO_SUITE_MODE"] == "plain":
        return int(pytest.main(arguments))
    from django_suite.loop import run_in_loop

    def run() -> Any:
        return pytest.main(arguments)

    return int(run_in_loop(run))


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    sys.exit(main())
