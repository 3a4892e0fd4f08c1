"""A test client for schemas, on the event loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from strawberry_django.test.client import AsyncTestClient as StockAsyncTestClient

from turbo_orm import run_sync
from turbo_orm.test import AsyncClient


class AsyncTestClient(StockAsyncTestClient):
    """Mirrors ``strawberry_django.test.client.AsyncTestClient``; it needs no thread.

    Args:
        path: where the view is.
        client: ``turbo_orm.test.AsyncClient`` if None.
    """

    __test__ = False

    def __init__(self, path: str, client: Any = None) -> None:
        super().__init__(path, client or AsyncClient())

    @contextlib.asynccontextmanager
    async def login(self, user: Any) -> AsyncIterator[None]:  # type: ignore[override]
        """Be logged in during the block.

        Args:
            user: the user.

        Mirrors ``AsyncTestClient.login``.
        """
        await run_sync(self.client.force_login, user)
        try:
            yield
        finally:
            await run_sync(self.client.logout)
