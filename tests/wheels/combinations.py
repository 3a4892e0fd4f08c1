"""What is installed where: interpreters, releases of Django, packages."""

from __future__ import annotations

from typing import NamedTuple

CORE, DRF, NINJA, STRAWBERRY = "core", "drf", "ninja", "strawberry"
PACKAGES = (CORE, DRF, NINJA, STRAWBERRY)
ASYNC_BACKEND = "core[async-backend]"
INTERPRETERS = ("3.10", "3.12", "3.13")

# Each series and the oldest Python that it is installed on here.
DJANGOS = {"4.2": (3, 10), "5.2": (3, 10), "6.0": (3, 12), "6.1": (3, 12)}

# pip takes the newest release of a framework and then a Django for it, whatever is installed, if
# the command does not name the Django that must stay. These newest releases are for others only.
MOVES_DJANGO = {(DRF, "4.2"), (STRAWBERRY, "4.2"), (ASYNC_BACKEND, "5.2"), (ASYNC_BACKEND, "6.0")}


class Combination(NamedTuple):
    """One empty environment and what comes into it.

    Args:
        python: the interpreter's minor version.
        django: what pip is told to install first.
        package: what is installed then, without ``turbo-orm-``.
        named: whether the second command names Django, too.
    """

    python: str
    django: str
    package: str
    named: bool = False


def combinations(python: str) -> list[Combination]:
    """Return all that is tried on one interpreter."""
    found = []
    for series, since in DJANGOS.items():
        if tuple(map(int, python.split("."))) < since:
            continue
        newest = f"django~={series}.0"
        packages = [*PACKAGES]
        if python != "3.10" and series != "4.2":
            packages.append(ASYNC_BACKEND)
        found += [
            Combination(python, newest, package, (package, series) in MOVES_DJANGO)
            for package in packages
        ]
        if python == f"{since[0]}.{since[1]}":
            found.append(Combination(python, f"django=={series}", CORE))
    return found
