"""The callbacks for after a commit that a test wants to see."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from ..bridge import run_sync


class CapturedCallbacks:
    """Django's ``captureOnCommitCallbacks``, for ``with`` and for ``async with``."""

    def __init__(self, make: Callable[[], AbstractContextManager[list[Any]]]) -> None:
        self._make = make
        self._context: AbstractContextManager[list[Any]] | None = None

    def __enter__(self) -> list[Any]:
        self._context = self._make()
        return self._context.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        context, self._context = self._context, None
        if context is None:
            raise RuntimeError("captureOnCommitCallbacks() was left without having been entered")
        return context.__exit__(kind, error, traceback)

    async def __aenter__(self) -> list[Any]:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await run_sync(self.__exit__, kind, error, traceback)
