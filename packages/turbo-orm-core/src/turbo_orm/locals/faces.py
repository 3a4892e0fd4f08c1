"""Objects with the face of ``threading.local`` whose values live in the context."""

from __future__ import annotations

import copy
import gc
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from ..namespaces import Namespace, Namespaces, current, kept_of, put, restore

# Where a task begins with the thread's own values, it gets copies of these.
CONTAINERS = (list, dict, set, defaultdict, deque, OrderedDict)

_MISSING = object()
_thread_get = threading.local.__getattribute__
_thread_set = threading.local.__setattr__
_thread_delete = threading.local.__delattr__


class ContextLocal(threading.local):
    """A ``threading.local`` whose values are the context's in a request, portal or bridge job.

    Outside of those it is a thread-local. It is instantiated and subclassed like
    ``threading.local``, and can be made the base of a class that has instances already.
    """

    __slots__ = ()

    def __new__(cls, /, *args: Any, **kwargs: Any) -> ContextLocal:  # noqa: PYI034  # for 3.10
        """Make an object that this context and this thread both have initialised."""
        self = super().__new__(cls, *args, **kwargs)
        namespaces = current()
        if namespaces is not None:
            # Python calls __init__ only once for the thread that makes the object, and here it
            # writes to the context.
            if initialises(cls):
                with_thread_values(cls.__init__, self, *args, **kwargs)
            put(Namespace(self))
        return self

    def __getattribute__(self, name: str) -> Any:
        namespaces = current()
        if namespaces is None:
            return _thread_get(self, name)
        try:
            return namespaces[id(self)][name]
        except KeyError:
            pass
        return _find(self, namespaces, name)

    def __setattr__(self, name: str, value: Any) -> None:
        namespaces = current()
        if namespaces is None:
            _thread_set(self, name, value)
        else:
            _write(self, namespaces, name, value)

    def __delattr__(self, name: str) -> None:
        namespaces = current()
        if namespaces is None:
            _thread_delete(self, name)
        else:
            _delete(self, namespaces, name)


class StandIn(ContextLocal):
    """Takes the place of one plain ``threading.local``, and is that object outside of scopes."""

    # No names that anybody uses for a value.
    __slots__ = ("_turbo_orm_imported", "_turbo_orm_original")

    def __getattribute__(self, name: str) -> Any:
        namespaces = current()
        if namespaces is None:
            return _thread_get(original(self), name)
        try:
            return namespaces[id(self)][name]
        except KeyError:
            pass
        return _find(self, namespaces, name)

    def __setattr__(self, name: str, value: Any) -> None:
        namespaces = current()
        if namespaces is None:
            _thread_set(original(self), name, value)
        else:
            _write(self, namespaces, name, value)

    def __delattr__(self, name: str) -> None:
        namespaces = current()
        if namespaces is None:
            _thread_delete(original(self), name)
        else:
            _delete(self, namespaces, name)


_slot: Any = vars(StandIn)["_turbo_orm_original"]
original = _slot.__get__
# What the thread that imported its module had in it by then, and which thread that was.
_imported: Any = vars(StandIn)["_turbo_orm_imported"]


def stand_in(plain: threading.local) -> StandIn:
    """Return an object that takes the place of a plain ``threading.local``."""
    made = StandIn()
    _slot.__set__(made, plain)
    _imported.__set__(made, (threading.get_ident(), dict(vars(plain))))
    return made


def _at_import(local: ContextLocal) -> dict[str, Any]:
    """Return what a module set when it was imported, in this thread: it has that in Django too."""
    if type(local) is not StandIn:
        return {}
    thread, values = _imported.__get__(local)
    return {name: _own(v) for name, v in values.items()} if thread == threading.get_ident() else {}


class Values(MutableMapping[str, Any]):
    """What ``vars(local)`` is in a scope: the values of this context, written through."""

    __slots__ = ("_local",)

    def __init__(self, local: ContextLocal) -> None:
        self._local = local

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if current() is None:
            vars(self._local)[name] = value
        else:
            put(_namespace(self._local).with_value(name, value))

    def __delitem__(self, name: str) -> None:
        if current() is None:
            del vars(self._local)[name]
        else:
            put(_namespace(self._local).without(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __or__(self, other: Any) -> dict[str, Any]:
        return {**self, **other}

    def __ror__(self, other: Any) -> dict[str, Any]:
        return {**other, **self}

    def __ior__(self, other: Any) -> Values:  # noqa: PYI034  # typing.Self is newer than 3.10
        self.update(other)
        return self

    def __repr__(self) -> str:
        return repr(self.copy())

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        # Copied or pickled, it is a dictionary like any other: nothing is written through.
        return dict, (self.copy(),)

    def copy(self) -> dict[str, Any]:
        """Return the values as a dictionary; mirrors ``dict.copy``."""
        return dict(self._values())

    def _values(self) -> Mapping[str, Any]:
        # Kept until after the scope, it is the thread's.
        return vars(self._local) if current() is None else _namespace(self._local)


def initialises(kind: type) -> bool:
    """Tell whether a class sets values when a thread first uses one of its objects."""
    return kind.__init__ is not object.__init__  # type: ignore[misc]


def init_arguments(local: threading.local) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what an object was made with; Python keeps it, to initialise it in other threads.

    Raises:
        LookupError: this Python keeps it elsewhere.
    """
    kept = gc.get_referents(local)
    for position, found in enumerate(kept):
        if type(found) is tuple:
            named = kept[position + 1] if position + 1 < len(kept) else None
            # What follows may also be the dictionary of the threads' values.
            is_named = type(named) is dict and all(type(key) is str for key in named)
            return found, named if is_named and named else {}
    raise LookupError(f"the arguments of {type(local).__qualname__}")


def with_thread_values(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function outside of the scope, so that it sees and sets what the thread has."""
    namespaces = current()
    restore(None)
    try:
        return function(*args, **kwargs)
    finally:
        restore(namespaces)


def _find(local: ContextLocal, namespaces: Namespaces, name: str) -> Any:
    if id(local) not in namespaces:
        namespace = _begin(local, namespaces)
        if name in namespace:
            return namespace[name]
    if name == "__dict__":
        return Values(local)
    # Methods, properties and defaults of the class. The object's own dictionary is empty.
    return object.__getattribute__(local, name)


def _write(local: ContextLocal, namespaces: Namespaces, name: str, value: Any) -> None:
    # A plain one has no descriptors but Python's own.
    if type(local) is not StandIn or name.startswith("__"):
        descriptor = _data_descriptor(type(local), name)
        if descriptor is not None:
            descriptor.__set__(local, value)
            return
    namespace = namespaces.get(id(local))
    put((_namespace(local) if namespace is None else namespace).with_value(name, value))


def _delete(local: ContextLocal, namespaces: Namespaces, name: str) -> None:
    descriptor = _data_descriptor(type(local), name)
    if descriptor is not None:
        descriptor.__delete__(local)
        return
    try:
        put(_namespace(local).without(name))
    except KeyError:
        missing = f"{type(local).__name__!r} object has no attribute {name!r}"
        raise AttributeError(missing) from None


def _namespace(local: ContextLocal) -> Namespace:
    namespaces = current()
    assert namespaces is not None
    found = namespaces.get(id(local))
    return _begin(local, namespaces) if found is None else found


def _begin(local: ContextLocal, namespaces: Namespaces) -> Namespace:
    """Give an object what it holds at first in this context."""
    if namespaces.inherits:
        # A copy: of the thread's dictionary, which changes.
        thread = dict(with_thread_values(getattr, local, "__dict__"))
        put(inherited(local, thread, kept_of(local, namespaces)))
        return _namespace(local)
    put(Namespace(local, _at_import(local)))
    if initialises(type(local)):
        arguments, named = init_arguments(local)
        try:
            type(local).__init__(local, *arguments, **named)
        except BaseException:
            restore(namespaces)
            raise
    return _namespace(local)


def inherited(local: Any, thread: Mapping[str, Any], kept: Namespace | None) -> Namespace:
    """Return what a job begins with: the last that the thread or a job of this task has set.

    Args:
        local: the object.
        thread: what the thread has in it now.
        kept: what the last job has left, if any.
    """
    if kept is None or kept.thread is None:
        return Namespace(local, {name: _own(value) for name, value in thread.items()}, thread)
    values = {}
    for name in {**kept, **thread}:
        if thread.get(name, _MISSING) is not kept.thread.get(name, _MISSING):
            if name in thread:
                values[name] = _own(thread[name])
        elif name in kept:
            values[name] = kept[name]
    return Namespace(local, values, thread)


def _own(value: Any) -> Any:
    return copy.copy(value) if type(value) in CONTAINERS else value


def _data_descriptor(kind: type, name: str) -> Any:
    """Return the property or slot of a class by that name; slots are shared by all threads.

    Raises:
        AttributeError: it is ``__dict__``, which cannot be replaced.
    """
    if name == "__dict__":
        raise AttributeError(f"{kind.__name__!r} object attribute '__dict__' is read-only")
    for owner in kind.__mro__:
        if name in owner.__dict__:
            found = owner.__dict__[name]
            is_data = hasattr(type(found), "__set__") or hasattr(type(found), "__delete__")
            return found if is_data else None
    return None
