"""Which module an object comes from, where several have it by name."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from .finding import loaded_modules, name_of
from .owned import Ownership


def foreign(values: Iterable[Any], owned: Ownership) -> set[int]:
    """Return the ``id()`` of objects that owned modules have only imported from others.

    Args:
        values: objects that were found in owned modules.
        owned: which modules are owned. A driver's object stays what it is, though an application
            imports it.
    """
    wanted = {id(value) for value in values}
    elsewhere: set[int] = set()
    made_here: set[int] = set()
    for module in loaded_modules():
        is_owned = name_of(module) in owned
        for name, value in list(vars(module).items()):
            if id(value) not in wanted:
                continue
            if not is_owned:
                elsewhere.add(id(value))
            elif not is_imported(module, name):
                made_here.add(id(value))
    return elsewhere - made_here


def is_imported(module: ModuleType, name: str) -> bool:
    """Tell whether a module has a name from ``from ... import``, judging by its source."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):  # there is none
        return False
    return any(
        name == (alias.asname or alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )
