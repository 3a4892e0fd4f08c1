"""A pytest plugin: every schema that a test makes has the extension, every async view is ours."""

from __future__ import annotations

import functools
from typing import Any

import pytest


class Captured:
    """The queries of a block on the event loop, where stock would ask a thread's connection."""

    def __init__(self, using: str) -> None:
        from turbo_orm.connection.context import query_log

        self._log = query_log(using, 9000)

    def __enter__(self) -> Captured:
        self._log.forced = True
        self._log.queries.clear()
        return self

    def __exit__(self, *error: object) -> None:
        self._log.forced = False
        self.captured_queries = list(self._log.queries)

    def __len__(self) -> int:
        return len(self.captured_queries)


def install() -> None:
    """Put them in place."""
    import strawberry.django.views

    import turbo_orm_strawberry
    from strawberry import Schema
    from turbo_orm_strawberry import TurboExtension

    original = Schema.__init__

    @functools.wraps(original)
    def initialised(self: Any, *args: Any, extensions: Any = (), **kwargs: Any) -> None:
        original(self, *args, extensions=[*extensions, TurboExtension], **kwargs)

    Schema.__init__ = initialised
    strawberry.django.views.AsyncGraphQLView = turbo_orm_strawberry.AsyncGraphQLView


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Install it once Django is set up."""
    install()


@pytest.fixture(autouse=True)
def captured_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests' own helper find the queries."""
    from tests import utils

    monkeypatch.setattr(utils, "AsyncCaptureQueriesContext", Captured)
