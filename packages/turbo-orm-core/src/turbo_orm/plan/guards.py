"""Functions that tell whether what a plan skips of Django is still Django's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from django.core.signals import setting_changed

from ..connection.engine import engine_class, idle_wrapper
from .originals import definer, is_djangos, mro, names_of, original
from .parts import Parts
from .skipped import (
    COMPILED_BY,
    COMPILERS,
    ITERABLE_NAMES,
    LEARNING,
    OPERATIONS,
    OPERATIONS_INSERTING,
    OPTIONAL,
    SKIPPED,
    WRAPPER_NAMES,
    Names,
)
from .source import Source

Guard = Callable[[], bool]


@functools.lru_cache(maxsize=256)
def guard(*names: Names) -> Guard:
    """Return a function that tells whether these names are Django's own at present.

    Args:
        *names: classes or modules, each with names. Where a name is inherited, a replacement in a
            base class counts too. An optional method that was not there must not be there now.
    """
    source = Source()
    with source.block("def intact():"):
        for owner, attributes in _distinct(names):
            held = source.constant(owner)
            for attribute, first in attributes.items():
                if first is None:
                    absent = f"hasattr({held}, {source.string(attribute)})"
                    source.add(f"if {absent}: return False")
                    continue
                found, expected = f"{held}.{attribute}", first
                if hasattr(first, "__func__"):
                    # A class method is bound anew each time.
                    found, expected = f"getattr({found}, '__func__', None)", first.__func__
                source.add(f"if {found} is not {source.constant(expected)}: return False")
        source.add("return True")
    # Python makes code fast for the classes that it has seen.
    return source.function("intact", shared=False)


def _distinct(names: Iterable[Names]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield each owner with its originals, without those that one of its subclasses inherits."""
    found: dict[Any, dict[str, Any]] = {}
    for owner, attributes in names:
        originals = {name: original(owner, name) for name in attributes}
        found.setdefault(owner, {}).update(
            (name, first)
            for name, first in originals.items()
            if first is not None or name in OPTIONAL
        )
    for owner, originals in found.items():
        heirs = [other for other in found if other is not owner and owner in mro(other)]
        yield (
            owner,
            {
                name: first
                for name, first in originals.items()
                if not any(name in found[heir] and _inherits(heir, name, owner) for heir in heirs)
            },
        )


def _inherits(heir: type, name: str, owner: Any) -> bool:
    """Return whether a class has no name of its own, nor has one between it and its base."""
    between = mro(heir)[: mro(heir).index(owner)]
    return not any(name in names_of(base) for base in between)


@functools.lru_cache(maxsize=1024)
def guard_of_plan(parts: Parts, iterable: type | None = None) -> Guard:
    """Return the guard of a plan's own classes; a project's own methods are no part of it.

    Args:
        parts: the classes that the plan was learnt of.
        iterable: what makes objects of its rows.
    """
    names = list(_names_of_parts(parts))
    if iterable is not None:
        names += _with_bases(iterable, ITERABLE_NAMES)
    return guard(*names)


def are_intact(parts: Parts) -> bool:
    """Return what the guard of these parts would, without making it."""
    return all(
        getattr(owner, name, None) is original(owner, name)
        for owner, names in _names_of_parts(parts)
        for name in names
    )


def _names_of_parts(parts: Parts) -> Iterator[Names]:
    return (each for kind, names in parts.names() for each in _with_bases(kind, names))


@functools.lru_cache(maxsize=1024)
def _with_bases(kind: type, names: tuple[str, ...]) -> tuple[Names, ...]:
    """Return a class with names, and the bases whose methods of that name its own ones call.

    Names that a project's class, or another package's, defines are left out.
    """
    found: dict[type, list[str]] = {kind: []}
    for name in names:
        called = True
        for base in mro(kind):
            defined_by = definer(base, name)
            if called and (base is kind or defined_by is not None):
                called = False
                if defined_by is None or is_djangos(defined_by):
                    found.setdefault(base, []).append(name)
            if defined_by is base:
                called = _calls(names_of(base)[name], name)
                if not called:
                    break
    return tuple((base, tuple(given)) for base, given in found.items())


def _calls(value: Any, name: str) -> bool:
    """Return whether a method calls one of the same name, as ``super()`` has it."""
    function = getattr(value, "__func__", value)
    return not isinstance(function, FunctionType) or name in function.__code__.co_names


@functools.lru_cache(maxsize=64)
def guard_of_learning(alias: str, kind: str) -> Guard:
    """Return the guard of all that Django does to build a query and to execute it.

    Args:
        alias: the database, whose engine may have compilers of its own.
        kind: a key of ``COMPILED_BY``.
    """
    return guard(*LEARNING, *_executed(alias, kind))


@functools.lru_cache(maxsize=64)
def guard_of_execution(alias: str, kind: str) -> Guard:
    """Return the guard of what Django does to execute a statement whose chain is recorded.

    Args:
        alias: the database, whose engine may have compilers of its own.
        kind: a key of ``COMPILED_BY``.
    """
    return guard(*_executed(alias, kind))


def _executed(alias: str, kind: str) -> tuple[Names, ...]:
    operations = idle_wrapper(alias).ops
    names = [_skipped_of(operations.compiler(name)) for name in COMPILED_BY[kind]]
    of_operations = OPERATIONS_INSERTING if kind == "inserting" else OPERATIONS
    operating: Any = type(operations)
    return (*SKIPPED[kind], *_with_bases(operating, of_operations), *sum(names, ()))


def _skipped_of(kind: type) -> tuple[Names, ...]:
    """Return what plans skip of a class of compilers, and of its bases: methods call theirs."""
    of_bases = [(base, COMPILERS.get(base.__name__, ())) for base in kind.__mro__]
    every = dict.fromkeys(name for _, names in of_bases for name in names)
    return (kind, tuple(every)), *((base, names) for base, names in of_bases[1:] if names)


@functools.lru_cache(maxsize=64)
def guard_of_cursors(alias: str) -> Guard:
    """Return the guard of what stands between a compiler and the driver."""
    return guard(*SKIPPED["cursor"], (engine_class(alias), WRAPPER_NAMES))


def _forget(**kwargs: Any) -> None:
    guard_of_execution.cache_clear()
    guard_of_learning.cache_clear()
    guard_of_cursors.cache_clear()


setting_changed.connect(_forget, dispatch_uid="turbo_orm.plan.guards")
