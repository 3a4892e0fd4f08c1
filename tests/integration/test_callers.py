"""Code that goes between threads and loops does what it does on plain Django."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.callers import NAMES, OURS, PLAIN, STOCK

pytestmark = [
    # The first test waits for two processes.
    pytest.mark.timeout(300),
    pytest.mark.needs_thread("what is tested"),
]


@functools.lru_cache(maxsize=3)
def _run(flavour: str, database: str) -> subprocess.CompletedProcess[str]:
    # Cached whatever comes of it: each test would wait for the same hanging scenario again.
    environment = {
        **os.environ,
        "CALLERS_FLAVOUR": flavour,
        "CALLERS_DATABASE": database,
        "DJANGO_SETTINGS_MODULE": "tests.callers.settings",
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.callers.child"],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def outcomes(flavour: str, database: str) -> dict[str, Any]:
    """Return what came of each scenario, in a process with or without Turbo ORM."""
    done = _run(flavour, database)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("flavour", [PLAIN, OURS])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_as_on_plain_django(name, flavour):
    database = connection.settings_dict["NAME"]
    expected = outcomes(STOCK, database)[name]

    assert expected["error"] is None
    assert outcomes(flavour, database)[name] == expected


def test_every_scenario_has_its_test():
    assert sorted(outcomes(STOCK, connection.settings_dict["NAME"])) == sorted(NAMES)
