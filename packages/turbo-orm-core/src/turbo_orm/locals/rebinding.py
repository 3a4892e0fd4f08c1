"""Let the thread-locals that functions of a module make later be request-locals too."""

from __future__ import annotations

import threading
import types
from collections.abc import Iterator
from typing import Any

from .faces import ContextLocal


class _Threading(types.ModuleType):
    """The module ``threading``, but for its ``local``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "local":
            super().__setattr__(name, value)
        else:  # a test's mock
            setattr(threading, name, value)

    def __delattr__(self, name: str) -> None:
        if name == "local":
            super().__delattr__(name)
        else:
            delattr(threading, name)


_seen_by_modules = _Threading("threading", threading.__doc__)
_seen_by_modules.local = ContextLocal


def rebind(module: types.ModuleType) -> list[str]:
    """Give a module a ``threading.local`` whose objects are request-locals.

    Args:
        module: its globals are changed: ``threading`` if a function of the module uses its
            ``local``, and each name that is bound to the class itself.

    Returns:
        The names that were bound anew.
    """
    bound = []
    for name, value in list(vars(module).items()):
        if value is threading.local:
            setattr(module, name, ContextLocal)
        elif value is threading and makes_locals(module):
            setattr(module, name, _seen_by_modules)
        else:
            continue
        bound.append(name)
    return bound


def makes_locals(module: types.ModuleType) -> bool:
    """Tell whether a function or method of a module uses an attribute ``local``."""
    return any("local" in code.co_names for code in _codes(vars(module), vars(module)))


def _codes(namespace: Any, module: Any) -> Iterator[types.CodeType]:
    for value in list(namespace.values()):
        function = getattr(value, "__func__", value) if type(value) in _WRAPPERS else value
        if type(function) is property:
            yield from _codes(
                {"get": function.fget, "set": function.fset, "del": function.fdel}, module
            )
        elif type(function) is types.FunctionType and function.__globals__ is module:
            yield from _nested(function.__code__)
        elif issubclass(type(value), type) and value.__module__ == module.get("__name__"):
            yield from _codes(vars(value), module)


_WRAPPERS = (staticmethod, classmethod)


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            yield from _nested(constant)
