"""What an engine keeps on its wrapper belongs to the context, not to a wrapper.

django-tenants keeps ``schema_name`` on the wrapper, and its ``_cursor`` reads it. A thread has one
wrapper in Django; here each operation takes another, and many requests use one after the other.
So attributes that Django does not know live in a context variable: all that a request calls sees
what the request has set, and nobody else does. What the engine sets while it connects belongs to
the connection. What its constructor sets is where each context begins.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import MethodType
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper

from ..namespaces import begin_with_requests

# An attribute that this context has deleted.
DELETED = object()
# What a constructor may leave to be changed in place: each context begins with a copy.
CONTAINERS = (list, dict, set, bytearray, deque)
# Set on a wrapper while its constructor runs or while it connects.
SETTLING = "_turbo_settling"
# Known, though no constructor sets them: Django's own, and those of a test's shared connection.
SET_LATER = (
    *("_test_serialized_contents", "isolation_level"),
    *(SETTLING, "_turbo_engine", "_turbo_faces", "given_up", "timezone_is_stale"),
)
# Engines of theirs keep nothing on their wrappers that belongs to a request.
KNOWN_PACKAGES = ("django.", "django_async_backend.")


class Values(dict[tuple[str, str], Any]):
    """Values by alias and name, in one context; replaced as a whole by each write."""

    # asgiref compares the variables of two contexts. Comparing the values could evaluate them.
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]


_values: ContextVar[Values | None] = ContextVar("turbo_orm.carried", default=None)


# A request sees no attributes that code before it has set.
begin_with_requests(_values, Values())


@contextlib.contextmanager
def settling(wrapper: Any) -> Iterator[None]:
    """Let what is set meanwhile stay with the wrapper itself."""
    state = vars(wrapper)
    before = state.get(SETTLING, False)
    state[SETTLING] = True
    try:
        yield
    finally:
        state[SETTLING] = before


@contextlib.contextmanager
def collecting(wrapper: Any) -> Iterator[dict[str, Any]]:
    """Collect the attributes that an engine sets on a wrapper while it connects."""
    before = _own_values(wrapper)
    found: dict[str, Any] = {}
    with settling(wrapper):
        yield found
    after = _own_values(wrapper).items()
    found.update({key: new for key, new in after if key not in before or before[key] is not new})
    kind: Any = type(wrapper)
    for name in found:
        carry(kind, name)


def _own_values(wrapper: Any) -> dict[str, Any]:
    """Return what a wrapper has itself and Django does not know."""
    return {name: value for name, value in vars(wrapper).items() if name not in djangos_names()}


class Carried:
    """An attribute of an engine: the context's value, the connection's, or the wrapper's own.

    Args:
        name: the attribute's name.
        owner: the class that has this descriptor; the engine is its base.
    """

    def __init__(self, name: str, owner: type) -> None:
        self._name = name
        self._owner = owner

    def __get__(self, wrapper: Any, kind: Any = None) -> Any:
        name, owner = self._name, self._owner
        if wrapper is None:
            return getattr(super(owner, owner), name)
        state = vars(wrapper)
        values = _values.get() if _is_carrying(wrapper) else None
        if values is not None:
            value = values.get((state["alias"], name), self)
            if value is DELETED:
                raise AttributeError(f"{type(wrapper).__name__!r} object has no attribute {name!r}")
            if value is not self:
                return value
        return self._initial(wrapper, state)

    def _initial(self, wrapper: Any, state: dict[str, Any]) -> Any:
        name, owner = self._name, self._owner
        of_connection = getattr(state.get("connection"), "engine_attributes", None)
        if of_connection and name in of_connection:
            return of_connection[name]
        helpers = wrapper.own_helpers()
        if helpers is not state and name in helpers:
            return helpers[name]
        if name in state:
            value = state[name]
            if helpers is not state and (helper := _for_guest(value, wrapper)) is not value:
                helpers[name] = helper
                return helper
            if isinstance(value, CONTAINERS) and _is_carrying(wrapper):
                value = copy.copy(value)
                self.__set__(wrapper, value)
            return value
        value = getattr(super(owner, wrapper), name)
        if name in state:
            # A cached property has put it there.
            del state[name]
            self.__set__(wrapper, value)
        return value

    def __set__(self, wrapper: Any, value: Any) -> None:
        if _refers_to(value, wrapper):
            wrapper.own_helpers()[self._name] = value
        elif _is_carrying(wrapper):
            values = Values(_values.get() or ())
            values[vars(wrapper)["alias"], self._name] = value
            _values.set(values)
        elif value is DELETED:
            del vars(wrapper)[self._name]
        else:
            vars(wrapper)[self._name] = value

    def __delete__(self, wrapper: Any) -> None:
        getattr(wrapper, self._name)  # raises if there is none
        self.__set__(wrapper, DELETED)


def _refers_to(value: Any, wrapper: Any) -> bool:
    """Tell whether a value is a helper of one wrapper, useless with any other."""
    if getattr(value, "__self__", None) is wrapper:
        return True
    return any(held is wrapper for held in getattr(value, "__dict__", {}).values())


def _for_guest(value: Any, guest: Any) -> Any:
    """Return a helper of the wrapper whose state a guest shares, made to work for the guest.

    Any other value is returned as it is.
    """

    def is_host(held: Any) -> bool:
        return isinstance(held, BaseDatabaseWrapper) and vars(held) is vars(guest)

    if is_host(getattr(value, "__self__", None)):
        return MethodType(value.__func__, guest)
    names = [name for name, held in getattr(value, "__dict__", {}).items() if is_host(held)]
    if not names:
        return value
    made = copy.copy(value)
    vars(made).update(dict.fromkeys(names, guest))
    return made


def _is_carrying(wrapper: Any) -> bool:
    """Tell whether the attributes of a wrapper are those of the context."""
    return not vars(wrapper).get(SETTLING, False) and wrapper.keeps_in_context()


class Carrying:
    """Mixed in before an engine: attributes for which ``carry`` was called are the context's.

    That of an engine that is all Django's own is nothing but this, and costs nothing until
    somebody sets an attribute on a wrapper that Django does not know: see ``carry_found``.
    """

    def keeps_in_context(self) -> bool:
        """Tell whether what is set belongs to the context: if this thread works for a request."""
        return _values.get() is not None

    def own_helpers(self) -> dict[str, Any]:
        """Return where values are kept that work for this wrapper only."""
        return vars(self)


class CarryingAll(Carrying):
    """Mixed in before an engine of a package: what Django does not know becomes the context's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with settling(self):
            super().__init__(*args, **kwargs)

    def connect(self) -> None:
        """Connect; what the engine sets meanwhile holds for this thread's next requests too."""
        before = _values.get() or Values()
        super().connect()  # type: ignore[misc]  # that of the engine
        state = vars(self)
        for key, value in (_values.get() or Values()).items():
            alias, name = key
            if alias == state["alias"] and value is not before.get(key, DELETED):
                state[name] = value


@functools.lru_cache(maxsize=64)
def carry(kind: Any, name: str) -> None:
    """Let an attribute of an engine live in the context.

    Args:
        kind: any subclass of ``carrying_class(engine)``.
        name: the attribute's name.
    """
    owner = next(base for base in kind.__mro__ if base.__bases__[0] in (Carrying, CarryingAll))
    known = inspect.getattr_static(kind, name, None)
    # A property of the engine's stores what it is given elsewhere.
    if not hasattr(type(known), "__set__"):
        setattr(owner, name, Carried(name, owner))


@functools.lru_cache(maxsize=16)
def carrying_class(engine: Any) -> Any:
    """Return a subclass of an engine whose attributes live in the context.

    Args:
        engine: the wrapper class that ``DATABASES[alias]["ENGINE"]`` names.
    """
    if issubclass(engine, Carrying):
        return engine
    body: dict[str, Any] = {"__module__": engine.__module__}
    if not _of_others(engine):
        return type(engine.__name__, (Carrying, engine), body)
    body["__setattr__"] = setter_of(engine)
    made: Any = type(engine.__name__, (CarryingAll, engine), body)
    for owner in _of_others(engine):
        for name, value in vars(owner).items():
            if isinstance(value, functools.cached_property) or _is_djangos_cached(value):
                carry(made, name)
    return made


def setter_of(engine: Any) -> Callable[[Any, str, Any], None]:
    """Return a ``__setattr__`` by which what Django does not know becomes the context's.

    Args:
        engine: a wrapper class, whose own ``__setattr__`` is called.
    """
    known, put = djangos_names(), engine.__setattr__

    # Called 19 times in each transaction: it looks nothing up.
    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        if name not in known:
            kind: Any = type(self)
            carry(kind, name)
        put(self, name, value)

    return __setattr__


def carry_found(wrapper: Any) -> None:
    """Move what somebody has set on a wrapper of Django's own engine into the context.

    Args:
        wrapper: one that served an operation and will serve another.

    The attributes that are found are the context's from then on, wherever they are set.
    """
    kind: Any = type(wrapper)
    state = vars(wrapper)
    for name in [] if isinstance(wrapper, CarryingAll) else _own_values(wrapper):
        value = state.pop(name)
        carry(kind, name)
        setattr(wrapper, name, value)


def adopt(wrapper: Any) -> None:
    """Let a thread's own wrapper carry what its engine keeps, when the thread works for a request.

    Args:
        wrapper: a new one. That of an engine that is all Django's own is left as it is.
    """
    engine: Any = type(wrapper)
    if _of_others(engine) and not issubclass(engine, Carrying):
        kind = wrapper.__class__ = carrying_class(engine)
        for name in _own_values(wrapper):
            carry(kind, name)


def _is_djangos_cached(value: Any) -> bool:
    return type(value).__name__ == "cached_property"


def _of_others(engine: type) -> list[type]:
    """Return the classes of an engine that are neither Django's nor django-async-backend's."""
    return [
        owner
        for owner in engine.__mro__
        if not issubclass(BaseDatabaseWrapper, owner)
        and not owner.__module__.startswith(KNOWN_PACKAGES)
    ]


@functools.lru_cache(maxsize=1)
def djangos_names() -> frozenset[str]:
    """Return the attributes of wrappers that Django and Turbo ORM know."""
    from .wrapper import BridgedWrapper

    kind: Any = type("Plain", (BridgedWrapper, DatabaseWrapper), {})
    plain = kind(next(iter(connections.settings.values())), "plain")
    return frozenset({*vars(plain), *dir(kind), *SET_LATER})
