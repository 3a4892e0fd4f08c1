"""Django's test cases, with the event loop inside their transactions."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable, iscoroutinefunction
from typing import Any

import django.test
from django.db import DEFAULT_DB_ALIAS, connections
from django.test.testcases import DatabaseOperationForbidden  # type: ignore[attr-defined]

from ..connection.engine import is_postgresql
from ..patches import names
from .callbacks import CapturedCallbacks
from .client import AsyncClient
from .isolation import refused, share_all, unshare_all
from .loop import LoopMixin, also_synchronous
from .threads import kept_on_loop

names.check_tests()

FORBIDDEN = (
    "Database queries to {alias!r} are not allowed in this test. Add {alias!r} to the `databases` "
    "of the test case to ensure proper test isolation and silence this failure."
)


class PoolMixin(LoopMixin):
    """Keeps the event loop to the databases that a test case names, as Django does its own."""

    async_client_class: Any = AsyncClient
    databases: Any

    @classmethod
    def setUpClass(cls) -> None:
        """Refuse every other database; see Django's ``SimpleTestCase``."""
        super().setUpClass()
        others = [alias for alias in connections if alias not in cls._allowed()]
        guard = refused(filter(is_postgresql, others), FORBIDDEN, DatabaseOperationForbidden)
        cls.enterClassContext(guard) if hasattr(cls, "enterClassContext") else _enter(cls, guard)

    @classmethod
    def _allowed(cls) -> Iterable[str]:
        if cls.databases == "__all__":
            return list(connections)
        return list(cls.databases)


def _enter(case: Any, context: contextlib.AbstractContextManager[Any]) -> None:
    context.__enter__()
    case.addClassCleanup(context.__exit__, None, None, None)


class SimpleTestCase(PoolMixin, django.test.SimpleTestCase):
    """Django's ``SimpleTestCase``; coroutine tests run on a loop of the test's own thread."""


class TransactionTestCase(PoolMixin, django.test.TransactionTestCase):
    """Django's ``TransactionTestCase``; the pools of a test are closed before the tables are."""

    def assertNumQueries(  # noqa: N802  # Django's name
        self,
        num: int,
        func: Callable[..., Any] | None = None,
        *args: Any,
        using: str = DEFAULT_DB_ALIAS,
        **kwargs: Any,
    ) -> Any:
        """Assert how many queries a function, a coroutine function or a block executes.

        Args:
            num: the number of queries.
            func: called with the arguments that follow; if it returns an awaitable, await what this
                method returns. Without it, use this method's result in ``with``.
            *args: positional arguments of the function.
            using: the database alias.
            **kwargs: keyword arguments of the function.

        Returns:
            A context manager, an awaitable, or None: see above.

        Mirrors ``TransactionTestCase.assertNumQueries``.
        """
        block: Any = super().assertNumQueries(num, using=using)
        if func is None:
            return block
        with contextlib.ExitStack() as stack:
            stack.enter_context(block)
            result = func(*args, **kwargs)
            # Counted until it has been awaited.
            return _awaited(result, stack.pop_all()) if isawaitable(result) else None


async def _awaited(result: Awaitable[Any], block: contextlib.ExitStack) -> None:
    with block:
        await result


class Atomics(dict[str, Any]):
    """The blocks that a test case has entered, and which databases they opened to the loop."""

    fresh: list[str]
    exits: contextlib.ExitStack


class TestCase(TransactionTestCase, django.test.TestCase):
    """Django's ``TestCase``: a test, its fixtures and all its tasks are in one transaction.

    ``setUpTestData`` may be a coroutine function. Mirrors ``django.test.TestCase``.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written = vars(cls).get("setUpTestData")
        function = getattr(written, "__func__", None)
        if function is not None and iscoroutinefunction(function):
            cls.setUpTestData = classmethod(also_synchronous(function))  # type: ignore[assignment]

    @classmethod
    def _enter_atomics(cls) -> Atomics:
        django_case: Any = super()
        atomics = Atomics(django_case._enter_atomics())
        atomics.exits = contextlib.ExitStack()
        atomics.fresh = share_all(atomics)
        if atomics.fresh:
            # A thread would have a connection of its own.
            atomics.exits.enter_context(kept_on_loop())
        return atomics

    @classmethod
    def _rollback_atomics(cls, atomics: Atomics) -> None:
        django_case: Any = super()
        atomics.exits.close()
        unshare_all(atomics.fresh)
        django_case._rollback_atomics(atomics)

    @classmethod
    def captureOnCommitCallbacks(  # noqa: N802  # Django's name
        cls, *, using: str = DEFAULT_DB_ALIAS, execute: bool = False
    ) -> CapturedCallbacks:
        """Capture, and on request call, what a block registers with ``on_commit``.

        Args:
            using: the database alias.
            execute: whether the callbacks are called when the block ends.

        Returns:
            A context manager for ``with``, and in coroutines for ``async with``: its callbacks run
            in the bridge then. It gives the list that the callbacks will be in.

        Mirrors ``TestCase.captureOnCommitCallbacks``.
        """
        return CapturedCallbacks(lambda: _djangos(cls, using, execute))


def _djangos(
    case: type[TestCase], using: str, execute: bool
) -> contextlib.AbstractContextManager[list[Any]]:
    djangos: Any = super(TransactionTestCase, case)
    found: contextlib.AbstractContextManager[list[Any]] = djangos.captureOnCommitCallbacks(
        using=using, execute=execute
    )
    return found
