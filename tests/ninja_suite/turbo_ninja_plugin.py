"""A pytest plugin: every API that a test makes is on the bridge, with our router and pages.

``Router``, ``RouterPaginated`` and ``paginate`` are the adapter's wherever a test imports them.
"""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

import pytest


def install() -> None:
    """Let each API be as ``TurboNinjaAPI`` is, its handling of exceptions included."""
    from ninja import NinjaAPI
    from turbo_orm_ninja import TurboNinjaAPI
    from turbo_orm_ninja.finishing import finishing
    from turbo_orm_ninja.operation import bridged

    original = NinjaAPI.__init__
    stock_on_exception = NinjaAPI.on_exception

    @functools.wraps(original)
    def initialised(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.add_decorator(bridged, mode="view")
        self.add_decorator(finishing)

    def on_exception(self: Any, request: Any, exc: Any) -> Any:
        return TurboNinjaAPI.answer(stock_on_exception(self, request, exc))

    NinjaAPI.__init__ = initialised
    NinjaAPI.on_exception = on_exception


def replace() -> None:
    """Put the adapter's names in the place of Ninja's, before a test imports them."""
    import ninja.pagination

    import turbo_orm_ninja
    from turbo_orm_ninja import pagination

    kept = types.ModuleType("ninja.pagination")
    vars(kept).update(vars(ninja.pagination))
    # Ours call Ninja's own by this name.
    pagination.ninjas = kept
    ninja.Router = turbo_orm_ninja.Router
    ninja.pagination.RouterPaginated = pagination.RouterPaginated
    ninja.pagination.paginate = pagination.paginate


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let asynchronous tests commit: the pool's connections are not in pytest-django's blocks."""
    for item in items:
        asynchronous = inspect.iscoroutinefunction(getattr(item, "function", None))
        if asynchronous and item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(transaction=True), append=False)


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Install it once Django is set up, which Ninja's conftest does."""
    install()
    replace()
