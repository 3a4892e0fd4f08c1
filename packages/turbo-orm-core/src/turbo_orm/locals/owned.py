"""Whose thread-locals are replaced: installed applications', middleware's and the project's own."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterable
from pathlib import Path

# Their thread-locals hold what belongs to a thread: connections, clients, sessions of drivers. Or
# they know contexts already.
EXCLUDED = (
    "asgiref",
    "channels_redis",
    "django",
    "django_async_backend",
    "django_redis",
    "haystack",
    "psycopg",
    "psycopg2",
    "psycopg_pool",
    "storages",
    "turbo_orm",
    "turbo_orm_drf",
    "turbo_orm_ninja",
    "turbo_orm_strawberry",
)


@dataclasses.dataclass(frozen=True)
class Ownership:
    """Which modules may have their thread-locals replaced.

    Args:
        packages: dotted names of modules and packages; what lies inside them counts too.
        excluded: those among them that are left alone.
    """

    packages: frozenset[str]
    excluded: frozenset[str] = frozenset(EXCLUDED)

    def __contains__(self, module: object) -> bool:
        """Tell whether a module, by its dotted name, is among them."""
        if type(module) is not str:
            return False
        return _lies_in(module, self.packages) and not _lies_in(module, self.excluded)


def _lies_in(module: str, packages: frozenset[str]) -> bool:
    while module:
        if module in packages:
            return True
        module = module.rpartition(".")[0]
    return False


def packages_of(
    apps: Iterable[str], middleware: Iterable[str], modules: Iterable[str | None]
) -> frozenset[str]:
    """Return the packages that a project's settings name, and what lies beside the project's own.

    Args:
        apps: the dotted names of the installed applications.
        middleware: ``MIDDLEWARE``. The package around the module of a class counts.
        modules: further modules of the project: ``ROOT_URLCONF``, the settings; None for none.
    """
    found = set(apps)
    for path in middleware:
        found.add(_package_around(path.rpartition(".")[0]))
    for module in modules:
        if module:
            found.add(_package_around(module))
    found.discard("")
    tops = {name.partition(".")[0] for name in found}
    places = {top: places for top in tops if (places := _places(top))}
    # Helpers that are no application, in a package of the project's or beside its packages.
    return frozenset(found.union(places, _beside(places.values())))


# In the path of what a package manager has installed.
INSTALLED = frozenset({"site-packages", "dist-packages"})


def _places(name: str) -> list[Path]:
    """Return where a module or package of the project's lies.

    There is no such place if a package manager has installed it, or if it cannot be found.
    """
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a middleware that is not there, a module without a spec
        return []
    if spec is None:
        return []
    file = [spec.origin] if spec.origin and spec.has_location else []
    places = [Path(each) for each in spec.submodule_search_locations or file]
    return [] if any(INSTALLED & {*place.parts} for place in places) else places


def _beside(places: Iterable[list[Path]]) -> set[str]:
    """Return the modules and packages that lie in the same folders as those of the project."""
    folders = {place.parent for each in places for place in each}
    # `pip install --target` puts packages beside a project's own. Nobody knows which are whose.
    folders = {each for each in folders if each.is_dir() and not any(each.glob("*.dist-info"))}
    entries = [entry for folder in folders for entry in folder.iterdir()]
    names = {each.stem for each in entries if each.suffix == ".py" or each.is_dir()}
    return {
        name
        for name in filter(str.isidentifier, names)
        # A folder may have the name of a module that lies elsewhere, such as `logging` or `redis`.
        if (found := _places(name)) and folders.issuperset(place.parent for place in found)
    }


def _package_around(module: str) -> str:
    return module.rpartition(".")[0] or module
