"""The parts of the tests: which files run on every combination of versions, and which on few.

Each test has the marker of its file's part; ``scripts/ci.py`` says what runs where. A file that no
pattern here names is in the core, which runs everywhere.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

CORE = "core"
PARTS = {
    # They start servers and whole test runs: what they show depends on no version of Python.
    "processes": (
        "integration/test_newsroom_tests.py",
        "integration/test_rollback_project.py",
        "integration/test_serve.py",
        "integration/test_servers.py",
        "integration/test_serving_differential.py",
        "integration/test_serving_threads.py",
    ),
    # They are about the tests themselves, and how the project is kept.
    "house": (
        "unit/test_django_suite.py",
        "unit/test_drf_suite.py",
        "unit/test_hanging.py",
        "unit/test_jobs.py",
        "unit/test_once.py",
        "unit/test_packaging.py",
        "unit/test_parts.py",
        "unit/test_public_names.py",
        "unit/test_totals.py",
    ),
    "adapters": (
        "integration/test_client_numbers.py",
        "integration/test_drf_*.py",
        "integration/test_ninja_*.py",
        "integration/test_strawberry_*.py",
        "unit/test_drf_mirror.py",
        "unit/test_drf_names.py",
    ),
}
# Of these, what is about a server or a client that fails, or leaves.
FAULTS = "faults/*.py"
# Of the core, what Python's release has a say in and Django's hardly: the bridge, threads, the pool
# and its connections.
PYTHON = (
    "integration/test_block*.py",
    "integration/test_callers.py",
    "integration/test_closed_blocks_of_callers.py",
    "integration/test_connection*.py",
    "integration/test_guests*.py",
    "integration/test_hops.py",
    "integration/test_pool*.py",
    "integration/test_portal_and_eager.py",
    "integration/test_request_locals.py",
    "integration/test_session_schemas.py",
    "integration/test_short_loops.py",
    "integration/test_stream*.py",
    "integration/test_stress_of_contexts.py",
    "integration/test_sync_world.py",
    "unit/test_awaited.py",
    "unit/test_bridge*.py",
    "unit/test_driver.py",
    "unit/test_leases*.py",
    "unit/test_locals*.py",
    "unit/test_offload.py",
    "unit/test_outages.py",
    "unit/test_outlast.py",
    "unit/test_session_effects.py",
)
# Of these parts, what the database's engine has a say in.
ENGINE = (
    "faults/test_cancellation.py",
    "faults/test_loops_and_forks.py",
    "faults/test_server.py",
    "faults/test_watch.py",
    "integration/test_atomic.py",
    "integration/test_connection*.py",
    "integration/test_other_engines.py",
    "integration/test_pool*.py",
    "integration/test_postgres_types.py",
    "integration/test_raw_and_sql.py",
    "integration/test_shared_transaction.py",
    "integration/test_short_loops.py",
    "integration/test_streams.py",
    "integration/test_sync_world.py",
)


def parts_of(file: str) -> list[str]:
    """Return the markers of a file, whose path is relative to this folder."""
    parts = [part for part, patterns in PARTS.items() if _matches(file, patterns)]
    marks = {"engine": ENGINE, "faults": (FAULTS,), "python": PYTHON}
    return (parts or [CORE]) + [mark for mark in marks if _matches(file, marks[mark])]


def _matches(file: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(file, pattern) for pattern in patterns)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that leaves out whole files, which ``-m`` would import first."""
    parser.addoption(
        "--part", choices=[CORE, *PARTS, "engine"], help="collect the files of one part only"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files of other parts than ``--part``."""
    part = config.getoption("--part")
    if part is None or collection_path.suffix != ".py" or TESTS not in collection_path.parents:
        return None
    return part not in parts_of(collection_path.relative_to(TESTS).as_posix()) or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test, before ``-m`` chooses."""
    for item in items:
        for part in parts_of(item.path.relative_to(TESTS).as_posix()):
            item.add_marker(part)
