"""A pytest plugin: every ``NinjaAPI`` that a test makes has the adapter's two decorators."""

from __future__ import annotations

import functools
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


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Install it once Django is set up, which Ninja's conftest does."""
    install()
