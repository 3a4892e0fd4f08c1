"""Cursors that look at each statement: which settings it needs, what it does to its session.

psycopg's cursors have five ways to execute something; each of them is overridden here. They serve
the connections of pools and, from the first ``session_settings`` on, those of threads.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.rows import tuple_row

from .applied import Session, wanted_settings
from .effects import NONE, effect_of

if TYPE_CHECKING:
    Base = psycopg.Cursor[Any]
    NamedBase = psycopg.ServerCursor[Any]
else:
    Base = NamedBase = object


def session_of(connection: Any) -> Session:
    """Return what is known of the session of a synchronous connection, begun if need be."""
    session: Session | None = connection.__dict__.get("turbo_session")
    if session is None:
        session = connection.turbo_session = Session()
    return session


class Execution(NamedTuple):
    """How a statement is executed, so that it can be executed again."""

    query: Any
    cursor: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def repeat(self, connection: Any) -> None:
        """Execute the statement again, with a cursor of the same class."""
        with self.cursor(connection) as cursor:
            cursor.execute(self.query, *self.args, **self.kwargs)


def prepare_session(connection: Any, query: Any = None, *execution: Any) -> None:
    """Bring the session of a connection to what this context wants, before a statement.

    Args:
        connection: a synchronous psycopg connection, or a face of one.
        query: the statement; None for more rows of an earlier one.
        *execution: how it is executed, as of ``Execution``; nothing if that cannot be done again.
    """
    session = session_of(connection)
    effect = NONE if query is None else effect_of(query)
    look_later = getattr(connection, "look_later", None)
    if look_later is not None:
        look_later(not effect.controls)
    elif session.needs_change():
        if effect.controls:
            # It needs no settings, and SET TRANSACTION must come before any query.
            session.settle(connection.pgconn.transaction_status)
        else:
            _change(connection, session)
    if effect is not NONE:
        marking = effect.changes and is_marking(connection)
        session.note_statement(effect, marking=marking)
        if marking:
            connection.note_change(Execution(query, *execution) if execution else None)


def change_session(connection: Any) -> None:
    """Bring the session of a connection to what this context wants."""
    session = session_of(connection)
    if session.needs_change():
        _change(connection, session)


def _change(connection: Any, session: Session) -> None:
    if connection._pipeline:
        # What was sent before must have its answer: only then the transaction is known.
        connection._pipeline.sync()
    status = connection.pgconn.transaction_status
    change = session.change(status, autocommit=connection.autocommit)
    if change is None:
        return
    if not change.local:
        check_sticks(connection)
    try:
        cursor = psycopg.ClientCursor(connection, row_factory=tuple_row)
        row = cursor.execute(change.sql, change.params).fetchone()
    except BaseException:
        session.failed(change)
        raise
    session.changed(change, row)


async def execute_with_settings(cursor: Any, sql: str, params: Sequence[Any]) -> None:
    """Execute a statement in autocommit with the settings that this context wants.

    Args:
        cursor: an asynchronous one, of an idle connection of a pool.
        sql: the statement.
        params: its parameters.
    """
    facade = cursor.connection.facade
    session: Session = facade.turbo_session
    prefix = None
    if isinstance(cursor, psycopg.AsyncClientCursor):
        prefix = session.prefix(keeps=not facade.turbo_unsteady)
    if prefix is None:
        await _change_directly(cursor.connection, session)
        await cursor.execute(sql, params)
    else:
        before, values = prefix
        await cursor.execute(before + sql, [*values, *params])
        cursor.nextset()


async def _change_directly(source: Any, session: Session) -> None:
    facade = source.facade
    change = session.change(source.pgconn.transaction_status, autocommit=True)
    if change is None:
        return
    check_sticks(facade)
    try:
        cursor = psycopg.AsyncClientCursor(source, row_factory=tuple_row)
        await cursor.execute(change.sql, change.params)
        row = await cursor.fetchone()
    except BaseException:
        session.failed(change)
        raise
    session.changed(change, row)


def check_sticks(connection: Any) -> None:
    """Raise if the next statement may meet another session than the last.

    Raises:
        ImproperlyConfigured: the database is declared to be behind a transaction pooler.
    """
    if wanted_settings.get() is not None and connection.__dict__.get("turbo_unsteady", False):
        raise ImproperlyConfigured(
            "session_settings() was used outside a transaction on a database with "
            "DISABLE_SERVER_SIDE_CURSORS, which says that a pooler gives each transaction "
            "another session. Open a transaction inside of it: `with transaction.atomic():` or "
            "`async with atomic():`."
        )


def is_marking(connection: Any) -> bool:
    """Tell whether what changes the session of a connection now must be reset."""
    # A thread's connection has no lessee: what it does to its session, it means.
    lessee = getattr(connection, "lessee", None)
    return lessee is not None and not lessee.prepares_session


# A context variable: several tasks, and threads, use the connection of a block by turns.
_preparing: ContextVar[bool] = ContextVar("turbo_orm.prepares_session", default=False)


@contextlib.contextmanager
def preparing() -> Iterator[None]:
    """Let no statement of this block count as a change of a session that must be reset."""
    before = _preparing.get()
    _preparing.set(True)
    try:
        yield
    finally:
        _preparing.set(before)


def is_preparing() -> bool:
    """Tell whether the running code is inside ``preparing``."""
    return _preparing.get()


AT_ONCE = contextlib.nullcontext()


def statement_turn(connection: Any) -> contextlib.AbstractContextManager[None]:
    """Return what lets nobody else use the connection between its preparation and its use."""
    # Where connections have no such method, only one at a time uses them.
    turn = getattr(connection, "statement_turn", None)
    return AT_ONCE if turn is None else turn()


class Watched(Base):
    """Mixed into a cursor class by ``watched``."""

    __slots__ = ()

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement. Mirrors ``Cursor.execute``."""
        connection = self.connection
        with statement_turn(connection):
            prepare_session(connection, query, type(self), args, kwargs)
            return super().execute(query, *args, **kwargs)

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement for each set of parameters. Mirrors ``Cursor.executemany``."""
        with statement_turn(self.connection):
            prepare_session(self.connection, query)
            return super().executemany(query, *args, **kwargs)

    @contextlib.contextmanager
    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Iterator[psycopg.Copy]:
        """Begin a COPY. Mirrors ``Cursor.copy``."""
        with contextlib.ExitStack() as stack:
            with statement_turn(self.connection):
                prepare_session(self.connection, statement)
                copy = stack.enter_context(super().copy(statement, *args, **kwargs))
            yield copy

    def stream(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Yield rows as they come. Mirrors ``Cursor.stream``."""
        with statement_turn(self.connection):
            prepare_session(self.connection, query)
            yield from super().stream(query, *args, **kwargs)


class WatchedNamed(Watched, NamedBase):
    """Mixed into the class of a server-side cursor: fetching executes it, bit by bit."""

    __slots__ = ()

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement. Mirrors ``ServerCursor.execute``."""
        with statement_turn(self.connection):
            prepare_session(self.connection, query)
            return super(Watched, self).execute(query, *args, **kwargs)

    def fetchone(self) -> Any:
        """Return the next row. Mirrors ``ServerCursor.fetchone``."""
        with statement_turn(self.connection):
            prepare_session(self.connection)
            return super().fetchone()

    def fetchmany(self, *args: Any, **kwargs: Any) -> Any:
        """Return the next rows. Mirrors ``ServerCursor.fetchmany``."""
        with statement_turn(self.connection):
            prepare_session(self.connection)
            return super().fetchmany(*args, **kwargs)

    def fetchall(self) -> Any:
        """Return the remaining rows. Mirrors ``ServerCursor.fetchall``."""
        with statement_turn(self.connection):
            prepare_session(self.connection)
            return super().fetchall()

    def __next__(self) -> Any:
        with statement_turn(self.connection):
            prepare_session(self.connection)
            return super().__next__()


@functools.lru_cache(maxsize=64)
def watched(factory: Any) -> Any:
    """Return a cursor class that looks at its statements, made from another."""
    mixin = WatchedNamed if issubclass(factory, psycopg.ServerCursor) else Watched
    if issubclass(factory, mixin):
        return factory
    made: Any = type(factory.__name__, (mixin, factory), {"__slots__": ()})
    made.__module__, made.__qualname__ = factory.__module__, factory.__qualname__
    return made
