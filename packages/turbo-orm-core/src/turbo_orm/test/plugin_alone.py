"""What the fixtures stand on where pytest-django is not loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register pytest-django's marker, which says the same here."""
    config.addinivalue_line(
        "markers",
        "django_db(transaction=False, reset_sequences=False, databases=None, "
        "serialized_rollback=False, available_apps=None): how a test with turbo_db uses databases.",
    )


@pytest.fixture(scope="session")
def turbo_db_keepdb() -> bool:
    """Whether test databases are used again and kept; override it to change that."""
    return False


@pytest.fixture(scope="session")
def _turbo_environment() -> Iterator[None]:
    from .requested import test_environment

    with test_environment():
        yield


@pytest.fixture(scope="session")
def turbo_db_setup(
    request: pytest.FixtureRequest, _turbo_environment: None, turbo_db_keepdb: bool
) -> Iterator[None]:
    """Create the test databases, and drop them at the end; override it if that is done already."""
    from .requested import test_databases

    with test_databases(request, keepdb=turbo_db_keepdb):
        yield


@pytest.fixture(scope="class", autouse=True)
def _turbo_unittest(request: pytest.FixtureRequest) -> None:
    """Create the databases of a test case before its class is set up."""
    marks = [name for mark in request.node.iter_markers("usefixtures") for name in mark.args]
    if "turbo_db" in marks or "turbo_transactional_db" in marks:
        request.getfixturevalue("turbo_db_setup")
    elif request.cls is not None and "turbo_orm.test.cases" in sys.modules:
        from .cases import PoolMixin

        if issubclass(request.cls, PoolMixin):
            needed = "turbo_db_setup" if request.cls.databases else "_turbo_environment"
            request.getfixturevalue(needed)


@pytest.fixture
def _turbo_case(request: pytest.FixtureRequest, turbo_db_setup: None) -> Iterator[None]:
    from .requested import test_case

    with test_case(request):
        yield


@pytest.fixture
def _turbo_transactional_case(_turbo_case: None) -> None:
    """Like the other: which of the two a test asks for is asked there."""


@pytest.fixture
def _turbo_counter() -> Any:
    from .requested import assert_num_queries

    return assert_num_queries
