"""Lets every module of ``rest_framework`` be imported under ``turbo_orm_drf``.

``turbo_orm_drf.permissions`` is then the very module ``rest_framework.permissions``, so classes,
pickles and models stay DRF's: nothing exists twice. A module that this package has itself, such as
``turbo_orm_drf.views``, comes first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, spec_from_loader
from types import ModuleType

OURS, THEIRS = __name__.rpartition(".")[0], "rest_framework"


def drfs_name(name: str) -> str:
    """Return DRF's name of what has a name of ours, any other name unchanged."""
    return THEIRS + name.removeprefix(OURS) if f"{name}.".startswith(f"{OURS}.") else name


class Mirror(MetaPathFinder, Loader):
    """Finds DRF's modules under this package's name, and imports them under their own."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return how to import a module of DRF's by our name, None for any other module."""
        if not fullname.startswith(f"{OURS}."):
            return None
        own = sys.modules[OURS].__path__
        # The submodules of DRF's packages are asked for with the path of that package.
        if path == own and PathFinder.find_spec(fullname, path):
            return None
        theirs = find_spec(drfs_name(fullname))
        if theirs is None:
            return None
        package = theirs.submodule_search_locations is not None
        return spec_from_loader(fullname, self, origin=theirs.origin, is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        """Put DRF's module in the place of the new, empty one.

        The import system gives out what is in ``sys.modules`` afterwards.
        """
        name = module.__name__
        sys.modules[name] = import_module(drfs_name(name))
        if name.endswith(".apps"):
            # INSTALLED_APPS has one of DRF's applications by our name: Django asks for its config.
            import_module(f"{OURS}.apps").use_drfs_names()


def install() -> None:
    """Let the import system ask here first: the usual finder would load DRF's files again."""
    if not any(isinstance(finder, Mirror) for finder in sys.meta_path):
        sys.meta_path.insert(0, Mirror())
