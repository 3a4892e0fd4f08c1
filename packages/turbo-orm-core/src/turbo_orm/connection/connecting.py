"""New connections, made by the engine's own methods.

An engine connects with ``self.Database.connect(...)``. On its bridged class ``Database`` is a
``BridgedDriver``: what its ``connect`` returns waits in the bridge. So an engine may register
adapters, change the parameters, or try again.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql.base import DatabaseWrapper

from ..bridge import await_holding
from ..conf import get_settings
from ..offload import offload
from ..pool import Parameters, PooledConnection, finish
from .cursors import take_cursor_factory
from .facade import MAKER, NOBODY, BridgedConnection

# What was opened while an engine connects: it may try several times.
_opened: ContextVar[list[BridgedConnection] | None] = ContextVar("turbo_orm.opened", default=None)


class BridgedDriver:
    """Stands for psycopg on the bridged classes of engines.

    Args:
        module: what the engine itself has as ``Database``.
    """

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        setattr(self, name, value)
        return value

    def connect(self, conninfo: str = "", **parameters: Any) -> BridgedConnection:
        """Connect, and let only this task wait.

        Args:
            conninfo: a connection string.
            **parameters: what psycopg connects with.

        Returns:
            The connection as synchronous code expects it, in autocommit.

        Mirrors ``psycopg.connect``.
        """
        factory = parameters.pop("cursor_factory", psycopg.Cursor)
        parameters["autocommit"] = True
        source = await_holding(PooledConnection.open(conninfo, **parameters))
        facade = BridgedConnection(source, factory, get_settings().CLEANUP_TIMEOUT)
        facade.lessee = MAKER
        source.facade = facade
        opened = _opened.get()
        if opened is not None:
            opened.append(facade)
        return facade


def new_connection(wrapper: Any, parameters: Parameters | None = None) -> BridgedConnection:
    """Connect as an engine does it; in the bridge.

    Args:
        wrapper: of the engine's bridged class.
        parameters: what to connect with; by default the engine is asked.

    Returns:
        The connection, which nobody has borrowed.

    Raises:
        ImproperlyConfigured: the engine connects without its ``Database``.

    Mirrors what ``BaseDatabaseWrapper.connect`` begins with.
    """
    opened: list[BridgedConnection] = []
    token = _opened.set(opened)
    made: BridgedConnection | None = None
    try:
        returned = wrapper.get_new_connection(parameters or _ask_for_parameters(wrapper))
        made = next((facade for facade in opened if facade is returned), None)
        if made is None:
            engine = wrapper.settings_dict["ENGINE"]
            raise ImproperlyConfigured(
                f"get_new_connection() of the engine {engine!r} returned {returned!r}. Turbo ORM "
                "can only await a connection that super().get_new_connection() or "
                "self.Database.connect() returns."
            )
    except psycopg.Error as error:
        # The frames hold the password, and error pages show what frames hold.
        raise error.with_traceback(None) from None
    finally:
        _opened.reset(token)
        for other in opened:
            if other is not made:
                finish(other.source)
    made.lessee = NOBODY
    made.turbo_session.marked = False
    return made


def has_own_parameters(engine: Any) -> bool:
    """Tell whether an engine says itself what to connect with: it may be new each time."""
    return engine.get_connection_params is not DatabaseWrapper.get_connection_params


def _ask_for_parameters(wrapper: Any) -> Parameters:
    ask = wrapper.get_connection_params
    # One that is not Django's may ask another server for a password, and block.
    asked = await_holding(offload(ask)) if has_own_parameters(type(wrapper)) else ask()
    parameters = Parameters(asked)
    factory = take_cursor_factory(parameters, wrapper.settings_dict["OPTIONS"])
    return Parameters(parameters, cursor_factory=factory)
