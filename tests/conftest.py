"""Databases for the session, a clean one for each test, and no thread anywhere."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import asgiref.sync
import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

pytest_plugins = ["tests.aliases", "tests.asgi_client"]
# A project of its own, run by test_rollback_project.py.
collect_ignore = ["rollback"]


def pytest_configure() -> None:
    if not (os.environ.get("DATABASE_URL") or os.environ.get("TURBO_TEST_DSN")):
        pytest.exit("Set DATABASE_URL to a PostgreSQL server, or run `make test`.", returncode=4)
    django.setup()


@pytest.fixture(scope="session", autouse=True)
def databases() -> Iterator[None]:
    """Create the test databases, and drop them after the last test."""
    from django.test.utils import setup_databases, teardown_databases

    created = setup_databases(verbosity=0, interactive=False, aliases=["default", "other"])
    yield
    teardown_databases(created, verbosity=0)


@pytest.fixture(scope="session")
def turbo_db_setup(databases: None) -> None:
    """Keep Turbo ORM's own plugin from creating them again."""


# The next transaction of each database when its tables were last found or made empty.
empty_since: dict[str, str] = {}


@pytest.fixture(autouse=True)
def clean_database(request: pytest.FixtureRequest, databases: None) -> Iterator[None]:
    """Leave empty tables, and no connection of the test's, behind each test."""
    if "turbo_db" in request.fixturenames:
        # It rolls back, but numbers that it gave to rows are not given again.
        empty_since.clear()
        yield
        return
    if not empty_since:
        leave_empty()
    yield
    leave_empty()


def leave_empty() -> None:
    """Empty the tables if anybody wrote to them, and close the connections."""
    from django.db import connections

    for alias in ("default", "other"):
        with connections[alias].cursor() as cursor:
            if next_transaction(cursor) != empty_since.get(alias):
                empty(cursor)
                empty_since[alias] = next_transaction(cursor)
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database() AND state LIKE '%in transaction%'"
            )
            assert cursor.fetchone() == (0,), f"a transaction is still open in {alias!r}"
        connections[alias].close()


def next_transaction(cursor) -> str:
    """Return what changes whenever anybody writes; reading does not."""
    cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
    return cursor.fetchone()[0]


def empty(cursor) -> None:
    """Empty the tables of all models."""
    from django.apps import apps

    tables = ", ".join(
        f'"{model._meta.db_table}"'
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label != "contenttypes.ContentType" and model._meta.app_label != "auth"
    )
    cursor.execute(f"TRUNCATE {tables}, auth_user, auth_group RESTART IDENTITY CASCADE")


@pytest.fixture(autouse=True)
def no_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every thread hop fail; a test that needs a thread says so with a mark and a reason."""
    if request.node.get_closest_marker("needs_thread"):
        return

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"a thread was asked for: {args!r} {kwargs!r}")

    monkeypatch.setattr(asgiref.sync.SyncToAsync, "__call__", refuse)
    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """An ExitStack for what a test wants undone."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def at_rest(request: pytest.FixtureRequest):
    """After the test: every connection back, none in a transaction, nothing pending."""
    yield
    from tests.invariant import assert_at_rest

    if "turbo_db" in request.fixturenames:
        # It has used no pool.
        return

    await assert_at_rest("default")
    await assert_at_rest("other")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Check the invariant after every coroutine test; give the others one transaction each."""
    for item in items:
        function = getattr(item, "function", None)
        if function is not None and asyncio.iscoroutinefunction(function):
            item.fixturenames.append("at_rest")  # type: ignore[attr-defined]
        if item.get_closest_marker("rolled_back") and not item.get_closest_marker("commits"):
            # Before any fixture that makes rows.
            item.fixturenames.insert(0, "turbo_db")  # type: ignore[attr-defined]
