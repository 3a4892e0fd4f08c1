"""Find the ``threading.local`` objects that can be reached from what modules define."""

from __future__ import annotations

import functools
import sys
import threading
import types
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .faces import ContextLocal
from .owned import Ownership

# How many attributes, items and closures deep: module.singleton.attribute[key] is three.
DEPTH_MAX = 6
# Containers with more items hold data.
ITEMS_MAX = 1000


class Found(NamedTuple):
    """A plain ``threading.local``, and a dotted path to it for messages."""

    local: threading.local
    path: str


def loaded_modules() -> list[types.ModuleType]:
    """Return the modules that are loaded; others may stand in ``sys.modules`` too."""
    return [each for each in list(sys.modules.values()) if issubclass(type(each), types.ModuleType)]


def owned_modules(owned: Ownership) -> list[types.ModuleType]:
    """Return the modules that are loaded and belong to the owned packages."""
    return [module for module in loaded_modules() if name_of(module) in owned]


def name_of(module: types.ModuleType) -> Any:
    """Return a module's name without asking the module, which may have ``__getattr__``."""
    return vars(module).get("__name__")


def owned_classes(owned: Ownership) -> list[type[threading.local]]:
    """Return the subclasses of ``threading.local`` that are defined in owned packages."""
    found: dict[type[threading.local], None] = {}
    waiting = type.__subclasses__(threading.local)
    while waiting:
        kind = waiting.pop()
        if kind is ContextLocal or kind in found:
            continue
        waiting += type.__subclasses__(kind)
        if kind.__module__ in owned:
            found[kind] = None
    return [*found]


def plain_locals(modules: Iterable[types.ModuleType], owned: Ownership) -> list[Found]:
    """Return the plain thread-locals that can be reached from modules, each path to them once.

    Args:
        modules: where to begin: their globals.
        owned: whose classes, functions and objects are looked into.
    """
    found: list[Found] = []
    seen: set[int] = set()
    waiting: deque[tuple[Any, str, int]] = deque()
    for module in modules:
        for name, value in list(vars(module).items()):
            waiting.append((value, f"{name_of(module)}.{name}", 0))
    while waiting:
        value, path, depth = waiting.popleft()
        # Not isinstance() here and below: it asks lazy objects what they are.
        if type(value) is threading.local:
            found.append(Found(value, path))
        elif id(value) not in seen and depth < DEPTH_MAX:
            seen.add(id(value))
            waiting.extend((inner, path + step, depth + 1) for inner, step in _inside(value, owned))
    return found


def _inside(value: Any, owned: Ownership) -> Iterator[tuple[Any, str]]:
    """Yield what a value refers to, each with the step that leads there."""
    kind = type(value)
    for handled, look in _LOOKS:
        if issubclass(kind, handled):
            yield from look(value, owned)
            return
    if _home(kind) in owned:
        yield from _inside_instance(value, owned)


def _inside_class(value: type, owned: Ownership) -> Iterator[tuple[Any, str]]:
    if _home(value) in owned:
        yield from ((inner, f".{name}") for name, inner in list(vars(value).items()))


def _inside_function(value: types.FunctionType, owned: Ownership) -> Iterator[tuple[Any, str]]:
    if _home(value) not in owned:
        return
    names = value.__code__.co_freevars
    for name, cell in zip(names, value.__closure__ or (), strict=False):
        try:
            yield cell.cell_contents, f".<closure {name}>"
        except ValueError:  # not filled yet
            continue
    for default in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
        yield default, ".<default>"
    yield from ((inner, f".{name}") for name, inner in list(vars(value).items()))


def _inside_property(value: property, owned: Ownership) -> Iterator[tuple[Any, str]]:
    yield from ((f, "") for f in (value.fget, value.fset, value.fdel) if f is not None)


def _inside_wrapper(value: Any, owned: Ownership) -> Iterator[tuple[Any, str]]:
    yield value.__func__, ""


def _inside_partial(value: functools.partial[Any], owned: Ownership) -> Iterator[tuple[Any, str]]:
    yield from ((v, ".<partial>") for v in (value.func, *value.args, *value.keywords.values()))


def _inside_method(value: Any, owned: Ownership) -> Iterator[tuple[Any, str]]:
    yield value.__self__, ".__self__"


def _inside_dict(value: dict[Any, Any], owned: Ownership) -> Iterator[tuple[Any, str]]:
    if dict.__len__(value) <= ITEMS_MAX:
        for key, inner in list(dict.items(value)):
            yield inner, f"[{key!r}]" if type(key) in (str, int) else "[...]"
            yield key, ".<key>"


def _inside_collection(value: Any, owned: Ownership) -> Iterator[tuple[Any, str]]:
    iterate = next(b for b in _COLLECTIONS if issubclass(type(value), b)).__iter__
    if len(list(iterate(value))) <= ITEMS_MAX:
        ordered = issubclass(type(value), tuple | list | deque)
        for index, inner in enumerate(list(iterate(value))):
            yield inner, f"[{index}]" if ordered else "[...]"


def _inside_reference(value: weakref.ref[Any], owned: Ownership) -> Iterator[tuple[Any, str]]:
    yield value(), "()"


def _inside_instance(value: Any, owned: Ownership) -> Iterator[tuple[Any, str]]:
    yield from ((inner, f".{name}") for name, inner in list(attributes(value).items()))
    for name, slot in slots(type(value)):
        try:
            yield slot.__get__(value), f".{name}"
        except AttributeError:  # not filled
            continue


def attributes(value: Any) -> dict[str, Any]:
    """Return the dictionary of an instance, empty if it has none; never through its own code."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def slots(kind: type) -> Iterator[tuple[str, types.MemberDescriptorType]]:
    """Yield the ``__slots__`` of a class and its bases."""
    for owner in kind.__mro__:
        for name, member in list(vars(owner).items()):
            if type(member) is types.MemberDescriptorType:
                yield name, member


def _home(value: Any) -> Any:
    """Return the name of the module that a class or function is defined in."""
    return (
        type.__getattribute__(value, "__module__")
        if isinstance(value, type)
        else (value.__module__)
    )


_COLLECTIONS = (list, tuple, set, frozenset, deque)
_METHODS = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)
_LOOKS: tuple[tuple[Any, Any], ...] = (
    (type, _inside_class),
    (types.FunctionType, _inside_function),
    (property, _inside_property),
    ((staticmethod, classmethod), _inside_wrapper),
    (functools.partial, _inside_partial),
    (_METHODS, _inside_method),
    (dict, _inside_dict),
    (_COLLECTIONS, _inside_collection),
    (weakref.ref, _inside_reference),
)
