"""What belongs to one request: the values of request-locals, and context variables like them.

``locals`` puts objects in the place of other packages' ``threading.local`` objects. What those
hold is here, one namespace per object in a context variable, so that the bridge and the handlers
can begin a scope without knowing of them. A task sees what was set before it started. What it sets
itself stays with it, since each write puts new mappings into its own context (as
``asgiref.local.Local`` does).
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
# Context variables, and what they were before a request.
Outer: TypeAlias = list[tuple[ContextVar[Any], Any]]


class Namespace(dict[str, Any]):
    """The values of one object in one context; never changed once it is in a context.

    Args:
        owner: the object; a weak reference to it in what jobs have left.
        values: its values here.
        thread: what the thread had in the object when a job began with that; None in a request.
    """

    # The owner is kept alive, so that no other object gets its id() while this exists.
    __slots__ = ("owner", "thread")

    def __init__(
        self, owner: Any, values: Any = (), thread: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(values)
        self.owner = owner
        self.thread = thread

    def with_value(self, name: str, value: Any) -> Namespace:
        """Return a namespace that has one more value, or another one by that name."""
        changed = Namespace(self.owner, self, self.thread)
        changed[name] = value
        return changed

    def without(self, name: str) -> Namespace:
        """Return a namespace that lacks a value.

        Raises:
            KeyError: there is none.
        """
        changed = Namespace(self.owner, self, self.thread)
        del changed[name]
        return changed


class Namespaces(dict[int, Namespace]):
    """The namespaces of one context, by ``id()`` of their objects; never changed either.

    Args:
        namespaces: what it begins with.
        inherits: whether a new namespace begins with what the thread itself has in the object.
        kept: what earlier jobs of this task have left, which wins over that.
    """

    __slots__ = ("inherits", "kept")

    def __init__(
        self, namespaces: Any = (), *, inherits: bool, kept: Mapping[int, Namespace] | None = None
    ) -> None:
        super().__init__(namespaces)
        self.inherits = inherits
        self.kept = kept or {}

    # asgiref before 3.13 compares the variables of two contexts by `!=`. Comparing the values would
    # evaluate them: `request.user` is lazy, and asks the database.
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]


# None outside of a scope: there the objects are the thread-locals that they were.
_current: ContextVar[Namespaces | None] = ContextVar("turbo_orm.request_locals", default=None)
# What jobs outside of requests leave to the next ones of their task.
_kept: ContextVar[Mapping[int, Namespace] | None] = ContextVar(
    "turbo_orm.kept_locals", default=None
)

current = _current.get

# What a scope begins with: nothing, and nothing but what the thread has.
_OF_REQUEST = Namespaces(inherits=False)
_OF_JOB = Namespaces(inherits=True)


def put(namespace: Namespace) -> None:
    """Put a namespace into this context, in the place of the one that its owner has there."""
    namespaces = _current.get()
    assert namespaces is not None
    changed = Namespaces(namespaces, inherits=namespaces.inherits, kept=namespaces.kept)
    changed[id(namespace.owner)] = namespace
    _current.set(changed)


def begin_job() -> bool:
    """Begin a scope for work outside of requests, unless this context is in one already.

    Returns:
        Whether it was begun, so that ``end_job`` is to be called.
    """
    if _current.get() is not None:
        return False
    kept = _kept.get()
    _current.set(_OF_JOB if kept is None else Namespaces(inherits=True, kept=kept))
    return True


def end_job() -> None:
    """End the scope that ``begin_job`` has begun. The next job of this task goes on with it."""
    ended = _current.get()
    if ended:
        kept = {key: each for key, each in ended.kept.items() if each.owner() is not None}
        for key, each in ended.items():
            # Weakly: a task may live as long as its process, and use up objects meanwhile.
            kept[key] = Namespace(weakref.ref(each.owner), each, each.thread)
        _kept.set(kept)
    _current.set(None)


def kept_of(owner: Any, namespaces: Namespaces) -> Namespace | None:
    """Return what earlier jobs of this task have left of an object, None if nothing."""
    found = namespaces.kept.get(id(owner))
    return found if found is not None and found.owner() is owner else None


# What begins anew with each request, and with what.
_of_requests: dict[ContextVar[Any], Any] = {_current: _OF_REQUEST}


def begin_with_requests(variable: ContextVar[T], value: T) -> None:
    """Let a context variable begin anew with each request.

    Args:
        variable: what tasks and threads of a request see as it has set it.
        value: what each request begins with; not changed in place.
    """
    _of_requests[variable] = value


def begin_request() -> Outer:
    """Begin the scope of a request, in which no value of any thread or other request is seen.

    Returns:
        What this context had before, for ``end_request``.
    """
    outer = [(variable, variable.get()) for variable in _of_requests]
    for variable, value in _of_requests.items():
        variable.set(value)
    return outer


def end_request(outer: Outer) -> None:
    """End the scope that ``begin_request`` has begun.

    Args:
        outer: what that returned.
    """
    # No tokens: a request that is dropped may be closed in another context.
    for variable, value in outer:
        variable.set(value)


def restore(namespaces: Namespaces | None) -> None:
    """Go back to namespaces that this context had before; None to leave the scope."""
    _current.set(namespaces)


@contextlib.contextmanager
def kept_outside() -> Iterator[None]:
    """Keep what jobs leave to the next ones from a thread that waits for the code of those jobs.

    ``async_to_sync`` brings the context variables of its coroutine back to its caller: the thread
    of a server, which serves one request after the other.
    """
    kept = _kept.get()
    try:
        yield
    finally:
        _kept.set(kept)
