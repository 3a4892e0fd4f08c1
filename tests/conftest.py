"""Databases for the session, a clean one for each test, and no thread anywhere."""

import asyncio
import gc
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import asgiref.sync
import django
import pytest

from tests.threads import refuse_threads

if TYPE_CHECKING:
    from tests.cleaning import Cleaner

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

pytest_plugins = [
    "tests.aliases",
    "tests.asgi_client",
    "tests.blocking",
    "tests.hanging",
    "tests.loops",
    "tests.parts",
]
# Projects of their own, run by test_rollback_project.py and by `make works-with` and the like.
collect_ignore = ["rollback", "works_with", "works_with_engines"]


def pytest_configure() -> None:
    if not (os.environ.get("DATABASE_URL") or os.environ.get("TURBO_TEST_DSN")):
        pytest.exit("Set DATABASE_URL to a PostgreSQL server, or run `make test`.", returncode=4)
    django.setup()


@pytest.fixture(scope="session", autouse=True)
def databases() -> Iterator[None]:
    """Create the test databases, and drop them after the last test."""
    from django.test.utils import setup_databases, teardown_databases

    from tests.sessions import until_gone

    created = setup_databases(verbosity=0, interactive=False, aliases=["default", "other"])
    yield
    for alias in ("default", "other"):
        until_gone(alias)
    teardown_databases(created, verbosity=0)


@pytest.fixture(scope="session")
def turbo_db_setup(databases: None) -> None:
    """Keep Turbo ORM's own plugin from creating them again."""


@pytest.fixture(scope="session")
def emptied(databases: None) -> Iterator[list["Cleaner"]]:
    """What empties the databases, while there are any."""
    from tests.cleaning import cleaners

    with cleaners() as made:
        yield made


@pytest.fixture(autouse=True)
def clean_database(request: pytest.FixtureRequest, emptied: list["Cleaner"]) -> Iterator[None]:
    """Leave empty tables, and no connection of the test's, behind each test."""
    from django.db import connections

    if "turbo_db" in request.fixturenames:
        # Its transaction is open by now; rolled back, it leaves nothing but used sequences.
        for cleaner in emptied:
            cleaner.cleaned = False
        yield
        return
    for cleaner in emptied:
        if not cleaner.cleaned:
            cleaner.clean()
        cleaner.cleaned = False
    yield
    for cleaner in emptied:
        cleaner.clean()
        connections[cleaner.alias].close()


@pytest.fixture(autouse=True)
def no_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make every thread hop fail; a test that needs a thread says so with a mark and a reason."""
    if request.node.get_closest_marker("needs_thread"):
        yield
        return
    # Not the test's own patch: one that is undone where redirects are taken back would put the
    # redirect in place again, and the next would stand around it.
    with pytest.MonkeyPatch.context() as patched:
        refuse_threads(patched)
        yield


@pytest.fixture
def no_connection_of_asgirefs_thread() -> Iterator[None]:
    """Close what asgiref's one thread has opened: its connections outlive the test."""
    from django.db import connections

    yield
    asgiref.sync.SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(autouse=True)
def no_safety_net() -> Iterator[None]:
    """Fail a test in which an event loop left a statement waiting that had its answer."""
    from turbo_orm.pool.watchdog import missed_wakeups

    yield
    missed = dict(missed_wakeups)
    missed_wakeups.clear()
    assert missed == {}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """An ExitStack for what a test wants undone."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def at_rest(request: pytest.FixtureRequest):
    """After the test: every connection back, none in a transaction, nothing pending."""
    yield
    from tests.invariant import assert_at_rest, is_filled
    from tests.parts import TESTS

    if "turbo_db" in request.fixturenames:
        # It has used no pool.
        return

    fill = is_filled(request.node.path.relative_to(TESTS).as_posix())
    watchers = {}
    if "emptied" in request.fixturenames:
        cleaners = request.getfixturevalue("emptied")
        watchers = {cleaner.alias: cleaner.connection for cleaner in cleaners}
    for alias in ("default", "other"):
        await assert_at_rest(alias, fill=fill, watcher=watchers.get(alias))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Make no garbage collection among all that is imported: now, nor when a test asks for one."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Check the invariant after every coroutine test; give the others one transaction each."""
    for item in items:
        function = getattr(item, "function", None)
        if function is not None and asyncio.iscoroutinefunction(function):
            item.fixturenames.append("at_rest")  # type: ignore[attr-defined]
        if item.get_closest_marker("rolled_back") and not item.get_closest_marker("commits"):
            # Before any fixture that makes rows.
            item.fixturenames.insert(0, "turbo_db")  # type: ignore[attr-defined]
