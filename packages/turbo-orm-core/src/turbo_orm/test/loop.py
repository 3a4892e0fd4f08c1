"""Coroutines in test cases: run on an event loop of this very thread."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any, TypeVar
from unittest import IsolatedAsyncioTestCase

from ..bridge import on_event_loop
from ..lifecycle import close_pools

T = TypeVar("T")

# Where unittest keeps the context that the coroutines of a test run in.
CONTEXT = "_asyncioTestContext"


def run_on_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own in this thread, and close the pools it opened."""

    async def main() -> T:
        try:
            return await coroutine
        finally:
            await close_pools()

    return asyncio.run(main())


def also_synchronous(function: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., Any]:
    """Return a function that runs a coroutine function where no loop runs, else returns its result.

    So Django can call what a test class has written as a coroutine.
    """

    @functools.wraps(function)
    def call_on_loop(*args: Any, **kwargs: Any) -> Any:
        coroutine = function(*args, **kwargs)
        return coroutine if on_event_loop() else run_on_loop(coroutine)

    return call_on_loop


class CoroutineTest:
    """A coroutine test that does not look like one, so that Django sends it to no other thread."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function, updated=())
        # Markers of unittest: skip, expected failure.
        vars(self).update(vars(function))
        self.function = function

    def __call__(self) -> Any:
        """Return the test's coroutine."""
        return self.function()


class LoopMixin(IsolatedAsyncioTestCase):
    """Adds ``asyncSetUp``, ``asyncTearDown`` and their kin to Django's test cases."""

    _testMethodName: str  # noqa: N815  # unittest's name

    def _setup_and_call(self, result: Any, debug: bool = False) -> None:
        method = getattr(self, self._testMethodName)
        if iscoroutinefunction(method):
            setattr(self, self._testMethodName, CoroutineTest(method))
        django_case: Any = super()
        django_case._setup_and_call(result, debug)

    def __getstate__(self) -> dict[str, Any]:
        # `manage.py test --parallel` sends test cases to other processes, and contexts stay here.
        return {key: value for key, value in vars(self).items() if key != CONTEXT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        vars(self)[CONTEXT] = contextvars.copy_context()

    def _callSetUp(self) -> None:  # noqa: N802  # unittest's hook
        # The last of the cleanups: the loop's own end would interrupt connections being opened.
        self.addAsyncCleanup(close_pools)
        unittest_case: Any = super()
        unittest_case._callSetUp()

    def _callTestMethod(self, method: Any) -> None:  # noqa: N802  # unittest's hook
        function = method.function if isinstance(method, CoroutineTest) else method
        unittest_case: Any = super()
        unittest_case._callTestMethod(function)
