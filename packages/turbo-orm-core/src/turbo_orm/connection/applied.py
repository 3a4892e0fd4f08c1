"""Which settings a context wants, which are in force on a session, and what leads there.

Outside a transaction a setting is made for the session and undone by whoever needs the session
without it, to the value that it had. Inside one it is made for the transaction, whose end undoes
it. Nothing here waits for a server: callers execute what ``Session.change`` returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from psycopg.pq import TransactionStatus

from .effects import Effect

IDLE = TransactionStatus.IDLE
INTRANS = TransactionStatus.INTRANS

INTERNED_MAX = 4096


class Settings:
    """PostgreSQL settings by name; equal ones are the same object, so that comparing is quick."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def __repr__(self) -> str:
        return f"<Settings {dict(self.values)}>"


# None where a context wants none.
wanted_settings: ContextVar[Settings | None] = ContextVar(
    "turbo_orm.session_settings", default=None
)
_interned: dict[tuple[tuple[str, str], ...], Settings] = {}


def settings_of(values: Mapping[str, str]) -> Settings | None:
    """Return the settings with these values, None for no values."""
    if not values:
        return None
    key = tuple(sorted(values.items()))
    found = _interned.get(key)
    if found is None:
        if len(_interned) >= INTERNED_MAX:
            # Sessions that have one of these in force set it once more.
            _interned.clear()
        found = _interned[key] = Settings(dict(key))
    return found


class _Marker:
    """What stands where no settings are, or nobody knows which."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.values: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"<{self._name}>"


UNSET = _Marker("unset")
UNKNOWN = _Marker("unknown")

State = Settings | _Marker | None


class Change(NamedTuple):
    """A statement that brings a session to the wanted settings.

    Args:
        sql: a SELECT of ``set_config`` and ``current_setting``.
        params: its parameters.
        learns: the names whose present values it returns, in this order among the columns.
        columns: where among the columns each of them is.
        local: whether it holds for the running transaction only.
        wanted: the settings that are in force afterwards.
    """

    sql: str
    params: list[str]
    learns: list[str]
    columns: list[int]
    local: bool
    wanted: Settings | None


class Session:
    """What is known of one server session beyond what libpq knows."""

    __slots__ = (
        *("doubtful", "in_force", "local", "local_originals", "marked", "originals", "prefixed"),
    )

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, as with a new session."""
        # A statement may have changed the session: it is reset before it is lent again.
        self.marked = False
        # A change of ours was interrupted: the session is reset, whatever RESET_SESSIONS says.
        self.doubtful = False
        # In force for the session, and for its running transaction (UNSET: as for the session).
        self.in_force: State = None
        self.local: State = UNSET
        # What each setting was before we first changed it.
        self.originals: dict[str, str | None] = {}
        self.local_originals: dict[str, str | None] = {}
        # What a statement was last given in front of it.
        self.prefixed: State = None

    def needs_change(self) -> bool:
        """Tell whether other settings may be in force than this context wants."""
        return self.local is not UNSET or self.in_force is not wanted_settings.get()

    def settle(self, status: int) -> None:
        """Forget what was set for a transaction that has ended."""
        if status == IDLE and self.local is not UNSET:
            self.local = UNSET
            self.local_originals.clear()

    def change(self, status: int, *, autocommit: bool) -> Change | None:
        """Return what must be executed before the next statement of this context, if anything.

        Args:
            status: what libpq says of the transaction.
            autocommit: whether the next statement begins no transaction.
        """
        self.settle(status)
        if status not in (IDLE, INTRANS):
            return None  # a failed transaction takes no more statements; an active one waits
        wanted = wanted_settings.get()
        present = self.in_force if self.local is UNSET else self.local
        if present is wanted:
            return None
        local = status == INTRANS or not autocommit
        change = self._change(present, wanted, local)
        if change is None:
            self._note(wanted, local)
        return change

    def _change(self, present: State, wanted: Settings | None, local: bool) -> Change | None:
        values = {} if wanted is None else wanted.values
        before: Mapping[str, str] = {} if present is None else present.values
        known = {**self.originals, **self.local_originals}
        if present is UNKNOWN:
            undone: Iterable[str] = known.keys() - values.keys()
            done = dict(values)
        else:
            undone = before.keys() - values.keys()
            done = {name: value for name, value in values.items() if before.get(name) != value}
        # A role is left first and taken last: the others may need what the session may do.
        sets = [(name, known.get(name) or "") for name in sorted(undone, key=_role_first)]
        sets += [(name, done[name]) for name in sorted(done, key=_role_first, reverse=True)]
        return _statement(sets, done.keys() - known.keys(), local, wanted) if sets else None

    def _note(self, wanted: Settings | None, local: bool) -> None:
        if local:
            self.local = wanted
        else:
            self.in_force = wanted

    def prefix(self, *, keeps: bool) -> tuple[str, list[str]] | None:
        """Return what can stand before an autocommitted statement, in one string with it.

        One round trip instead of two, and PostgreSQL undoes it: the string is one transaction. None
        if the session itself had better be changed: nothing is wanted any more, or the same again.

        Args:
            keeps: whether the next statement meets the same session.
        """
        self.settle(IDLE)
        wanted = wanted_settings.get()
        if wanted is None or (keeps and wanted is self.prefixed):
            return None
        self.prefixed = wanted
        change = self._change(self.in_force, wanted, local=True)
        if change is None:
            return None
        params = change.params[len(change.learns) :]
        calls = ", ".join(["pg_catalog.set_config(%s, %s, true)"] * (len(params) // 2))
        return f"SELECT {calls}; ", params

    def changed(self, change: Change, row: Any) -> None:
        """Note that a change was executed, and the row that it returned."""
        originals = self.local_originals if change.local else self.originals
        for name, column in zip(change.learns, change.columns, strict=True):
            originals[name] = row[column]
        self._note(change.wanted, change.local)

    def failed(self, change: Change) -> None:
        """Note that a change failed or was interrupted: nobody knows what is in force."""
        if change.local:
            self.local = UNKNOWN
        else:
            self.in_force = UNKNOWN
            self.doubtful = True

    def note_statement(self, effect: Effect, *, marking: bool) -> None:
        """Note what a statement that is about to be executed may do to the session.

        Args:
            effect: what is known of the statement.
            marking: whether a change must be reset; not for those of an engine itself.
        """
        if effect.changes:
            if marking:
                self.marked = True
            if self.in_force is not None:
                self.in_force = UNKNOWN
            elif self.local is UNSET:
                # Nothing of ours is in force: what it sets is what the session has from now on.
                self.originals.clear()
            if self.local is not UNSET and self.local is not None:
                self.local = UNKNOWN
        if effect.rolls_back and self.local is not UNSET:
            self.local = UNKNOWN

    def note_rollback(self) -> None:
        """Note that a savepoint was rolled back: what was set since then is undone."""
        if self.local is not UNSET:
            self.local = UNKNOWN


def _role_first(name: str) -> tuple[bool, str]:
    return (name not in {"role", "session_authorization"}, name)


def _statement(
    sets: list[tuple[str, str]], unknown: Iterable[str], local: bool, wanted: Settings | None
) -> Change:
    expressions: list[str] = []
    params: list[str] = []
    learns: list[str] = []
    columns: list[int] = []
    for name in sorted(unknown):
        columns.append(len(expressions))
        learns.append(name)
        expressions.append("pg_catalog.current_setting(%s, true)")
        params.append(name)
    for name, value in sets:
        expressions.append(f"pg_catalog.set_config(%s, %s, {'true' if local else 'false'})")
        params += [name, value]
    sql = f"SELECT {', '.join(expressions)}"
    return Change(sql, params, learns, columns, local, wanted)
