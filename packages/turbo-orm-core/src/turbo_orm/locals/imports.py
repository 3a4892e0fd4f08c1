"""Look at modules that are imported after start-up: views, backends, whatever is imported late."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .owned import Ownership


class Finder:
    """Stands first in ``sys.meta_path``; lets the others find, and looks at what was executed.

    Args:
        owned: which modules to look at.
        look: is called with each of these once its code has run.
    """

    def __init__(self, owned: Ownership, look: Callable[[ModuleType], None]) -> None:
        self.owned = owned
        self._look = look

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders have found; mirrors ``MetaPathFinder.find_spec``."""
        if name not in self.owned:
            return None
        spec = None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if type(finder) is Finder or find is None:
                continue
            spec = find(name, path, target)
            if spec is not None:
                break
        if spec is not None and spec.loader is not None:
            self._watch(spec.loader)
        return spec

    def _watch(self, loader: Any) -> None:
        original = loader.exec_module
        if isinstance(loader, type) or isinstance(original, _Watched):
            # The first is a class for frozen modules, the second a loader of many modules.
            return
        try:
            # On the instance, of which most modules have their own: a loader around it would hide
            # what `inspect` and `importlib.resources` ask of it.
            loader.exec_module = _Watched(original, self)
        except AttributeError:  # it has slots: its modules keep their thread-locals
            return

    def look(self, module: ModuleType) -> None:
        """Look at a module that has just been executed, if it belongs to an owned package."""
        if vars(module).get("__name__") in self.owned:
            self._look(module)


class _Watched:
    """A loader's ``exec_module`` that has the module looked at afterwards."""

    def __init__(self, original: Callable[[ModuleType], None], finder: Finder) -> None:
        self._original = original
        self._finder = finder

    def __call__(self, module: ModuleType) -> None:
        self._original(module)
        self._finder.look(module)


def watch(owned: Ownership, look: Callable[[ModuleType], None]) -> Finder:
    """Look at modules of owned packages that are imported from now on."""
    finder = Finder(owned, look)
    sys.meta_path.insert(0, finder)
    return finder
