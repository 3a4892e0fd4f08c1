"""The pytest plugin: fixtures for tests whose coroutines share the test's transaction.

On top of pytest-django where that is loaded, by itself elsewhere. pytest loads this module before
there are settings, and in projects that have none: it imports nothing of Django.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .client import AsyncClient


def _django_is_configured() -> bool:
    conf = sys.modules.get("django.conf")
    return conf is not None and bool(conf.settings.configured)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the fixtures that this run needs."""
    config.addinivalue_line(
        "markers",
        "no_threads(strict=False): fail if the test sends anything to a thread or executes a query "
        "outside the bridge; strict: not even what Turbo ORM itself sends to threads.",
    )
    if config.pluginmanager.hasplugin("django"):
        from . import plugin_beside as fixtures
    else:
        from . import plugin_alone as fixtures  # type: ignore[no-redef]
    config.pluginmanager.register(fixtures, "turbo_orm_databases")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Keep the pool too from tests that did not ask for a database."""
    if session.config.pluginmanager.hasplugin("django") and _django_is_configured():
        from .requested import guard_pools_as_pytest_django

        guard_pools_as_pytest_django()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the pool go."""
    pool = sys.modules.get("turbo_orm.pool")
    if pool is not None:
        pool.guard_pools(None)


@pytest.fixture(autouse=True)
def _turbo_no_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    marker = request.node.get_closest_marker("no_threads")
    with contextlib.ExitStack() as stack:
        if marker is not None:
            from .hopping import no_threads

            stack.enter_context(no_threads(*marker.args, **marker.kwargs))
        yield


@pytest.fixture
def turbo_db(request: pytest.FixtureRequest, _turbo_case: None) -> Iterator[None]:
    """Let a test, its fixtures and all its tasks use the database in one transaction.

    It is rolled back afterwards. ``@pytest.mark.django_db`` may say which databases.
    """
    from .requested import opened_to_loop

    with opened_to_loop(request):
        yield


@pytest.fixture
def turbo_transactional_db(
    request: pytest.FixtureRequest, _turbo_transactional_case: None
) -> Iterator[None]:
    """Let a test and all its tasks use the database as in production; then empty all tables."""
    from .requested import opened_to_loop

    with opened_to_loop(request):
        yield


@pytest.fixture
def turbo_async_client(_turbo_environment: None) -> AsyncClient:
    """A client whose requests are served as ``turbo_orm.asgi`` serves them."""
    from .client import AsyncClient

    return AsyncClient()


@pytest.fixture
def turbo_assert_num_queries(_turbo_counter: Any) -> Any:
    """Assert how many queries a block executes, in whatever task.

    A function: the number; ``connection`` or ``using``, and ``info`` for the message.
    """
    return _turbo_counter
