"""Settings of PostgreSQL that hold for a context: ``search_path``, a role, row-level security."""

from __future__ import annotations

import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextvars import ContextVar
from decimal import Decimal
from functools import wraps
from inspect import isasyncgenfunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload
from uuid import UUID

from asgiref.sync import iscoroutinefunction
from django.utils.functional import Promise

from .connection.applied import Settings, settings_of, wanted_settings
from .connection.threads import watch_threads

if TYPE_CHECKING:
    from typing_extensions import Self

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)*")
REFUSED = {
    "timezone": "Django converts times with the time zone that DATABASES says. Use "
    "django.utils.timezone.override().",
    "client_encoding": "Django needs UTF8.",
    "transaction_isolation": "Execute SET TRANSACTION inside the transaction.",
    "transaction_read_only": "Execute SET TRANSACTION inside the transaction.",
    "transaction_deferrable": "Execute SET TRANSACTION inside the transaction.",
}

_END: Any = object()
# What was in force outside of each open session_settings, innermost first.
_outer: ContextVar[tuple[Any, ...]] = ContextVar("turbo_orm.session_settings.outer", default=())


class session_settings:  # noqa: N801  # named like Django's context managers
    """Give each statement of a context the PostgreSQL settings that it needs.

    Use it with ``with`` or ``async with``, or as a decorator of a function, a coroutine function
    or a generator function of either kind.
    The settings hold on whichever connection a statement runs: in tasks started inside, in
    threads that ``sync_to_async`` uses, in and outside transactions. Nobody else sees them. Inside
    another ``session_settings`` the settings of both hold; the inner one wins.

    Args:
        **settings: values by name, as ``set_config`` takes them; names with a dot are written
            ``**{"app.tenant": 7}``. A bool becomes ``true`` or ``false``.

    Raises:
        ValueError: a name is not one of a setting, or the setting must not be changed.
        TypeError: a value is no string, number, bool or UUID.

    Mirrors ``django.utils.timezone.override``, for PostgreSQL's ``set_config``.
    """

    __module__ = "turbo_orm"

    def __init__(self, **settings: Any) -> None:
        self._values = {_checked(name): _text(name, value) for name, value in settings.items()}

    def __repr__(self) -> str:
        return f"session_settings({', '.join(f'{n}={v!r}' for n, v in self._values.items())})"

    def __enter__(self) -> Self:
        watch_threads()
        before: Settings | None = wanted_settings.get()
        _outer.set((before, _outer.get()))
        wanted_settings.set(settings_of({**(before.values if before else {}), **self._values}))
        return self

    def __exit__(self, *error: object) -> None:
        stack = _outer.get()
        if stack:  # empty where a generator is closed in a context that is not its own
            wanted_settings.set(stack[0])
            _outer.set(stack[1])

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__()

    @overload
    def iterate(self, iterable: Iterable[T]) -> Generator[T, None, None]: ...
    @overload
    def iterate(self, iterable: AsyncIterable[T]) -> AsyncGenerator[T, None]: ...
    def iterate(self, iterable: Any) -> Any:
        """Return the values of an iterable, each made with these settings in force.

        Args:
            iterable: what is read later, and perhaps by other code: ``streaming_content``. Between
                two values the code that reads them has its own settings.

        Returns:
            A generator, asynchronous if the iterable is.
        """
        if isinstance(iterable, AsyncIterable):
            return self._asteps(iterable.__aiter__())
        return self._steps(iter(iterable))

    def _steps(self, iterator: Iterator[Any]) -> Generator[Any, None, None]:
        try:
            while True:
                with self:
                    value = next(iterator, _END)
                if value is _END:
                    return
                yield value
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                with self:
                    close()

    async def _asteps(self, iterator: Any) -> AsyncGenerator[Any, None]:
        try:
            while True:
                with self:
                    try:
                        value = await iterator.__anext__()
                    except StopAsyncIteration:
                        return
                yield value
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                with self:
                    await close()

    def __call__(self, function: F) -> F:
        """Return the function with these settings in force while it runs."""
        if isgeneratorfunction(function) or isasyncgenfunction(function):

            @wraps(function)
            def begun(*args: Any, **kwargs: Any) -> Any:
                return self.iterate(function(*args, **kwargs))

            return cast(F, begun)
        if iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return cast(F, awaited)

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return cast(F, called)


def _checked(name: str) -> str:
    """Return the name as PostgreSQL writes it: settings know no upper case."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"session_settings() was given {name!r}, which is no name of a PostgreSQL setting. "
            'Write names such as search_path, role or **{"app.tenant": value}.'
        )
    lower = name.lower()
    if lower in REFUSED:
        raise ValueError(f"session_settings() cannot change {name!r}. {REFUSED[lower]}")
    return lower


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float | Decimal | UUID | Promise):
        return str(value)
    raise TypeError(
        f"session_settings() was given {value!r} for {name!r}. Write a string, a number, a bool or "
        "a UUID."
    )
