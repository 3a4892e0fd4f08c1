"""Put other objects where ``threading.local`` objects are referred to."""

from __future__ import annotations

import functools
import gc
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from .finding import attributes, slots

WEAK_REFERENCES: dict[type, Callable[[Any, Any], Any]] = {
    weakref.ref: lambda old, new: weakref.ref(new, old.__callback__),
    weakref.KeyedRef: lambda old, new: weakref.KeyedRef(new, old.__callback__, old.key),
    weakref.ProxyType: lambda _, new: weakref.proxy(new),
}
# What refers to an object only while code runs.
PASSING = (types.FrameType, types.TracebackType)


class Replacements(dict[int, tuple[Any, Any]]):
    """Old and new objects by ``id()`` of the old; a class of its own, to be known as a referrer."""

    def add(self, old: Any, new: Any) -> None:
        """Have an object replaced by another."""
        self[id(old)] = (old, new)

    def of(self, value: Any) -> Any:
        """Return what takes the place of a value: another object, or the value itself."""
        return self[id(value)][1] if id(value) in self else value

    def takes(self, value: Any) -> bool:
        """Tell whether a value is to be replaced."""
        return id(value) in self


class Referrers(list[Any]):
    """What refers to the old objects; a class of its own, to be known as a referrer."""


def replace(replacements: Replacements, ignored: Iterable[Any] = ()) -> dict[int, set[str]]:
    """Put the new objects in the place of the old, wherever those are referred to.

    Args:
        replacements: what to replace.
        ignored: further objects that refer to the old ones, and go on doing so.

    Returns:
        What could not be changed, by the ``id()`` of the old object: kinds of referrers.
    """
    missed = _replace(replacements, ignored)
    # Who looks up the key of a WeakKeyDictionary has the new object. A thread-local refers weakly
    # to itself too, which stays; one of the project's that stays is found again for the report.
    _replace(_weak_references(replacements))
    return missed


def _weak_references(replacements: Replacements) -> Replacements:
    found = Replacements()
    for old, new in replacements.values():
        for each in weakref.getweakrefs(old):
            if type(each) in WEAK_REFERENCES:
                found.add(each, WEAK_REFERENCES[type(each)](each, new))
    return found


def _replace(replacements: Replacements, ignored: Iterable[Any] = ()) -> dict[int, set[str]]:
    old = [each for each, _ in replacements.values()]
    passed_over = {id(each) for each in (old, *replacements.values(), *ignored)}
    referrers = Referrers(each for each in gc.get_referrers(*old) if id(each) not in passed_over)
    classes = _classes_of(referrers)
    missed: dict[int, set[str]] = {}
    for referrer in referrers:
        if isinstance(referrer, PASSING):
            continue
        if id(referrer) in classes:
            _in_class(classes[id(referrer)], replacements)
        elif not _in_referrer(referrer, replacements):
            for each in gc.get_referents(referrer):
                if replacements.takes(each):
                    missed.setdefault(id(each), set()).add(type(referrer).__name__)
    return missed


def _classes_of(referrers: list[Any]) -> dict[int, type]:
    """Return whose attributes some dictionaries are, since a class must be told of a change."""
    dictionaries = [each for each in referrers if type(each) is dict]
    if not dictionaries:
        return {}
    wanted = {id(each) for each in dictionaries}
    found = {}
    for holder in gc.get_referrers(*dictionaries):
        if issubclass(type(holder), type):
            for each in gc.get_referents(holder):
                if id(each) in wanted:
                    found[id(each)] = holder
    return found


def _in_class(kind: type, replacements: Replacements) -> None:
    for name, value in list(vars(kind).items()):
        if replacements.takes(value):
            type.__setattr__(kind, name, replacements.of(value))


def _in_referrer(referrer: Any, replacements: Replacements) -> bool:
    """Replace in a container, closure or instance; tell whether that was possible."""
    kind = type(referrer)
    if issubclass(kind, dict):
        _in_dict(referrer, replacements)
    elif kind is types.CellType:
        referrer.cell_contents = replacements.of(referrer.cell_contents)
    elif issubclass(kind, list | deque):
        for index, value in enumerate(referrer):
            if replacements.takes(value):
                referrer[index] = replacements.of(value)
    elif issubclass(kind, set):
        for value in list(referrer):
            if replacements.takes(value):
                referrer.remove(value)
                referrer.add(replacements.of(value))
    elif kind is tuple:
        return _in_tuple_of_functions(referrer, replacements)
    else:
        return _in_instance(referrer, replacements)
    return True


def _in_dict(referrer: dict[Any, Any], replacements: Replacements) -> None:
    for key, value in list(dict.items(referrer)):
        if replacements.takes(key):
            del referrer[key]
        if replacements.takes(key) or replacements.takes(value):
            referrer[replacements.of(key)] = replacements.of(value)


def _in_tuple_of_functions(referrer: tuple[Any, ...], replacements: Replacements) -> bool:
    """Replace in default values and in the arguments of partial objects; tuples do not change."""
    changed = tuple(map(replacements.of, referrer))
    holders = [
        each
        for each in gc.get_referrers(referrer)
        if type(each) is not Referrers and not isinstance(each, PASSING)
    ]
    for holder in holders:
        if type(holder) is types.FunctionType and holder.__defaults__ is referrer:
            holder.__defaults__ = changed
        elif issubclass(type(holder), functools.partial) and holder.args is referrer:
            function, _, named, values = holder.__reduce__()[2]
            holder.__setstate__((function, changed, named, values))
        else:
            return False
    # If there is no holder, it was the call of gc.get_referrers() itself.
    return True


def _in_instance(referrer: Any, replacements: Replacements) -> bool:
    found = False
    values = attributes(referrer)
    for name, value in list(values.items()):
        if replacements.takes(value):
            values[name] = replacements.of(value)
            found = True
    for _, slot in slots(type(referrer)):
        try:
            value = slot.__get__(referrer)
            if replacements.takes(value):
                slot.__set__(referrer, replacements.of(value))
                found = True
        except AttributeError:  # not filled, or an attribute of Python's own that is read only
            continue
    return found
