"""Whose thread-locals are replaced: installed applications', middleware's and the project's own."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterable
from pathlib import PurePath

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
    """Return the packages that a project's settings name.

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
    # What lies beside the applications in a project's own package: helpers that are no application.
    found.update(top for top in {name.partition(".")[0] for name in found} if _is_projects(top))
    return frozenset(found)


# In the path of what a package manager has installed.
INSTALLED = frozenset({"site-packages", "dist-packages"})


def _is_projects(name: str) -> bool:
    """Tell whether a package is the project's own: no package manager has installed it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a middleware that is not there, a module without a spec
        return False
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    return bool(places) and not any(INSTALLED & {*PurePath(place).parts} for place in places)


def _package_around(module: str) -> str:
    return module.rpartition(".")[0] or module
