"""What a pytest test wants of its databases, and what it gets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import django.test
import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.testcases import DatabaseOperationForbidden  # type: ignore[attr-defined]
from django.test.utils import (
    CaptureQueriesContext,
    setup_databases,
    setup_test_environment,
    teardown_databases,
    teardown_test_environment,
)

from ..connection.engine import is_postgresql
from ..patches import names
from ..pool import close_resting_pools, guard_pools
from .isolation import refused, shared_transactions

names.check_tests()

FORBIDDEN = (
    "Database queries to {alias!r} are not allowed in this test. Name it: "
    '`@pytest.mark.django_db(databases=["default", {alias!r}])`.'
)
TRANSACTIONAL = frozenset({"turbo_transactional_db", "transactional_db", "live_server"})


class Wish(NamedTuple):
    """The arguments of ``pytest.mark.django_db``."""

    transaction: bool = False
    reset_sequences: bool = False
    databases: Any = None
    serialized_rollback: bool = False
    available_apps: Any = None

    @property
    def aliases(self) -> list[str]:
        """The databases that the test may use."""
        if self.databases == "__all__":
            return list(connections)
        return [DEFAULT_DB_ALIAS] if self.databases is None else list(self.databases)


def wish_of(item: Any) -> Wish:
    """Read the marker of a test, if it has one."""
    marker = item.get_closest_marker("django_db")
    wish = Wish() if marker is None else Wish(*marker.args, **marker.kwargs)
    asked = TRANSACTIONAL.intersection(getattr(item, "fixturenames", ()))
    return wish._replace(transaction=wish.transaction or wish.reset_sequences or bool(asked))


@contextlib.contextmanager
def opened_to_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the event loop use the test's transactions, if it has any, and no other database."""
    allowed = wish_of(request.node).aliases
    others = [alias for alias in connections if alias not in allowed and is_postgresql(alias)]
    with refused(others, FORBIDDEN, DatabaseOperationForbidden), shared_transactions():
        yield


@contextlib.contextmanager
def test_case(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run one test as if it were the only one of a test case of Django's."""
    wish = wish_of(request.node)
    parent = django.test.TransactionTestCase if wish.transaction else django.test.TestCase
    names = ("reset_sequences", "serialized_rollback", "available_apps")
    namespace: dict[str, Any] = {name: getattr(wish, name) for name in names}
    case: Any = type("Test", (parent,), {**namespace, "databases": set(wish.aliases)})
    # Not its own `setUpClass`: a transaction around one test is enough, on a connection that stays.
    entered: Any = case if wish.transaction else super(django.test.TestCase, case)
    entered.setUpClass()
    test = case("__init__")
    with contextlib.ExitStack() as stack:
        stack.callback(case.doClassCleanups)
        stack.callback(entered.tearDownClass)
        # Since Django 5.2 the class does it, for the first of its tests.
        if not getattr(case, "_pre_setup_ran_eagerly", False):
            test._pre_setup()
        stack.callback(test._post_teardown)
        yield


@contextlib.contextmanager
def test_environment() -> Iterator[None]:
    """Have mails, hosts and templates as Django's test runner has them."""
    try:
        setup_test_environment()
    except RuntimeError:
        # The project's own conftest.py has done it.
        yield
        return
    try:
        yield
    finally:
        teardown_test_environment()


@contextlib.contextmanager
def test_databases(request: pytest.FixtureRequest, *, keepdb: bool) -> Iterator[None]:
    """Create the test databases, and drop them after the block."""
    _name_for_worker(request.config)
    verbosity = max(0, request.config.option.verbose)
    created = setup_databases(
        verbosity=verbosity,
        interactive=False,
        keepdb=keepdb,
        serialized_aliases=_serialized(request.session.items),
    )
    try:
        yield
    finally:
        close_resting_pools()
        teardown_databases(created, verbosity=verbosity, keepdb=keepdb)


def _serialized(items: Iterable[pytest.Item]) -> set[str]:
    found: set[str] = set()
    for item in items:
        case = getattr(item, "cls", None)
        if getattr(case, "serialized_rollback", False):
            found.update(Wish(databases=getattr(case, "databases", None)).aliases)
        wish = wish_of(item)
        if wish.serialized_rollback:
            found.update(wish.aliases)
    return found


def _name_for_worker(config: pytest.Config) -> None:
    """Give each process of pytest-xdist databases of its own."""
    worker = getattr(config, "workerinput", {}).get("workerid")
    if worker is None:
        return
    for alias in connections:
        settings: Any = connections.settings[alias]
        name = settings["TEST"].get("NAME") or f"test_{settings['NAME']}"
        settings["TEST"]["NAME"] = f"{name}_{worker}"


@contextlib.contextmanager
def assert_num_queries(
    num: int, connection: Any = None, info: str | None = None, *, using: str = DEFAULT_DB_ALIAS
) -> Iterator[CaptureQueriesContext]:
    """Assert how many queries a block executes.

    Args:
        num: the number of queries.
        connection: where to count.
        info: what to add to the message.
        using: the alias of where to count, unless ``connection`` is given.

    Mirrors ``django_assert_num_queries`` of pytest-django.
    """
    with CaptureQueriesContext(connection or connections[using]) as context:
        yield context
    if len(context) != num:
        lines = [
            f"Expected {num} queries, {len(context)} were executed:",
            *([info] if info else []),
        ]
        pytest.fail("\n".join([*lines, *(query["sql"] for query in context.captured_queries)]))


def guard_pools_as_pytest_django() -> None:
    """Refuse the pool whenever pytest-django refuses Django's own connections."""
    guard_pools(_ask_pytest_django)


def _ask_pytest_django(alias: str) -> None:
    ensure: Any = BaseDatabaseWrapper.ensure_connection
    if str(getattr(ensure, "__module__", "")).startswith("pytest_django"):
        ensure(connections[alias])
