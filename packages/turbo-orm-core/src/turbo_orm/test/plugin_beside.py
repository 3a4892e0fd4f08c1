"""What the fixtures stand on where pytest-django is loaded: its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def _turbo_environment(django_test_environment: None) -> None:
    pass


@pytest.fixture(scope="session")
def _turbo_pools(django_db_setup: None) -> Iterator[None]:
    """Close what a loop of the session has open before the databases are dropped."""
    yield
    from ..pool import close_resting_pools

    close_resting_pools()


@pytest.fixture
def _turbo_case(db: None, _turbo_pools: None) -> None:
    pass


@pytest.fixture
def _turbo_transactional_case(transactional_db: None, _turbo_pools: None) -> None:
    pass


@pytest.fixture
def _turbo_counter(django_assert_num_queries: Any) -> Any:
    return django_assert_num_queries
