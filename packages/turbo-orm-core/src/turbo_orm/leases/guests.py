"""What every guest at a connection has in common: the wrapper's state, and parts of its own."""

from __future__ import annotations

import copy
from typing import Any

# What Django's `SimpleTestCase` replaces on each wrapper.
HIDDEN_BY_TEST_CASES = ("connect", "temporary_connection", "cursor", "chunked_cursor")


def _own_part(name: str) -> property:
    def get(self: Any) -> Any:
        parts = self._parts
        part = parts.get(name)
        if part is None:
            part = parts[name] = copy.copy(self.__dict__[name])
            part.connection = self
        return part

    def put(self: Any, value: Any) -> None:
        self._parts[name] = value

    return property(get, put)


def uncover_methods(wrapper: Any) -> None:
    """Remove what Django's test cases leave on a wrapper that they kept from an earlier test.

    They put each method back as an attribute, where it would hide that of another class.
    """
    engine: Any = type(wrapper)
    state = vars(wrapper)
    for name in HIDDEN_BY_TEST_CASES:
        function = getattr(state.get(name), "__func__", None)
        if function is not None and function is getattr(engine, name):
            del state[name]


class Guest:
    """Mixed into the engine's class: another object for a wrapper, with the very same state.

    Django keeps what it knows of a connection in the wrapper's ``__dict__``: blocks, savepoints,
    callbacks, the need of a rollback. A guest shares it. Only the connection differs.
    """

    __slots__ = ()

    _parts: dict[str, Any]

    # Each of them refers to its wrapper, and may ask the database through it.
    client = _own_part("client")
    creation = _own_part("creation")
    features = _own_part("features")
    introspection = _own_part("introspection")
    ops = _own_part("ops")
    validation = _own_part("validation")

    def share_state(self, wrapper: Any) -> None:
        """Share the state of a wrapper."""
        # Made by the wrapper, so that the state does not refer to a guest.
        _ = wrapper.wrap_database_errors
        uncover_methods(wrapper)
        self.__dict__ = wrapper.__dict__  # type: ignore[misc]  # that of the engine

    def own_helpers(self) -> dict[str, Any]:
        """Return where values are kept that work for this guest only."""
        return self._parts

    def validate_thread_sharing(self) -> None:
        """Pass: a guest is made for where it is used."""
