"""Names of other packages that are used although they are not documented, and how to check them.

Any release may rename them. A table of such names is checked once, at start-up: what needs a name
that is gone is turned off, or refuses to start, instead of doing something else in silence.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from types import CodeType
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

# Packages whose distributions have other names.
DISTRIBUTIONS = {
    "ninja": "django-ninja",
    "rest_framework": "djangorestframework",
    "strawberry": "strawberry-graphql",
    "strawberry_django": "strawberry-graphql-django",
}


class PrivateName(NamedTuple):
    """One name of another package.

    Args:
        owner: the module or class that has it, or the class whose code refers to it, as a dotted
            path.
        name: the name.
        users: functions of the owner, one of its bases' included, whose code must refer to the
            name. None if the owner itself has the name.
        needs: what is turned off without it; whoever checks the table says what there is.
        since: the first version of the package that has it.
        before: the first that has it no more, None if all do.
    """

    owner: str
    name: str
    users: tuple[str, ...] = ()
    needs: str = ""
    since: tuple[int, ...] = ()
    before: tuple[int, ...] | None = None

    @property
    def path(self) -> str:
        """The name as a dotted path."""
        return f"{self.owner}.{self.name}"

    def is_in(self, version: tuple[int, ...]) -> bool:
        """Tell whether a version of the package has the name, as far as is known."""
        return self.since <= version and (self.before is None or version < self.before)

    def fault(self) -> str | None:
        """Return what is wrong with the name in the package that is installed, None if nothing."""
        try:
            owner = find(self.owner)
        except (ImportError, AttributeError):
            return f"{self.owner} is gone"
        short = self.owner.rpartition(".")[2]
        for user in self.users:
            if self.name not in names_in_method(owner, user):
                return f"{short}.{user}() does not refer to it"
        if not self.users and not has(owner, self.name):
            return f"{short} does not have it"
        return None


class Uses(NamedTuple):
    """The private names that one package of ours uses, and what is said when one is gone.

    Args:
        user: the package of ours, as messages call it.
        table: the names.
        tested: by distribution, the newest releases that the tests run with, as pip is told.
    """

    user: str
    table: tuple[PrivateName, ...]
    tested: Mapping[str, str]

    def missing(self, *needs: str) -> list[tuple[PrivateName, str]]:
        """Return the rows whose name is gone, and what is wrong with each.

        Args:
            *needs: the rows that are looked at.
        """
        return missing(row for row in self.table if row.needs in needs)

    def told(self, row: PrivateName, fault: str) -> str:
        """Return the sentence that says which name is missed, and where."""
        return (
            f"{self.user} uses {row.path}, which is not documented, but in "
            f"{' '.join(installed(row.owner))} {fault}."
        )

    def remedy(self, row: PrivateName) -> str:
        """Return the sentence that says what to install instead."""
        package, _ = installed(row.owner)
        tested = self.tested.get(package)
        return (
            f"Install a version of {self.user} that knows this release, or an older {package}"
            f"{f': `pip install {tested!r}`' if tested else ''}."
        )

    def refuse(self, *needs: str) -> None:
        """Check the names without which nothing works.

        Args:
            *needs: the rows that are looked at.

        Raises:
            ImproperlyConfigured: a name is gone, or is not used where it was.
        """
        for row, fault in self.missing(*needs):
            raise ImproperlyConfigured(f"{self.told(row, fault)} {self.remedy(row)}")


def missing(rows: Iterable[PrivateName]) -> list[tuple[PrivateName, str]]:
    """Return those rows whose name the installed package should have and lacks, with the fault."""
    there = [row for row in rows if row.is_in(release(row.owner))]
    return [(row, fault) for row in there if (fault := row.fault()) is not None]


def installed(path: str) -> tuple[str, str]:
    """Return the distribution that has a dotted path, and its version."""
    package = path.partition(".")[0]
    if package in sys.stdlib_module_names:
        return "Python", platform.python_version()
    name = DISTRIBUTIONS.get(package, package)
    return name, _version(name)


# It is looked for in folders, and one table asks for the same a hundred times.
_version = functools.lru_cache(maxsize=64)(version)


def release(path: str) -> tuple[int, ...]:
    """Return the version of the distribution that has a dotted path, in three numbers at least."""
    found = re.match(r"\d+(\.\d+)*", installed(path)[1])
    numbers = list(map(int, found[0].split("."))) if found else []
    return (*numbers, *[0] * (3 - len(numbers)))


def find(path: str) -> Any:
    """Return the module, or what is in one, at a dotted path.

    Raises:
        ModuleNotFoundError: there is no such module.
        AttributeError: the module does not have it.
    """
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(path)


def has(owner: Any, name: str) -> bool:
    """Tell whether a module or class has a name; a descriptor is not asked for its value."""
    try:
        inspect.getattr_static(owner, name)
    except AttributeError:
        return False
    return True


def names_in(value: Any, inner: str = "") -> set[object]:
    """Return the names that a function refers to, its parameters, and the constants in it.

    Args:
        value: a function, class method or property; of anything else there are none. Where tools
            that trace have wrapped it, what they have wrapped.
        inner: only what a function of this name refers to that it defines.
    """
    found: set[object] = set()
    for code in _codes(value):
        for each in _nested(code) if inner else [code]:
            if not inner or each.co_name == inner:
                for one in _nested(each):
                    # hasattr() and getattr() have the name as a constant.
                    found.update(one.co_names, one.co_consts, _parameters(one))
    return found


def _parameters(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def names_in_method(owner: Any, method: str) -> set[object]:
    """Return what a method refers to, in each of the classes that define it."""
    found: set[object] = set()
    for cls in getattr(owner, "__mro__", (owner,)):
        found |= names_in(vars(cls).get(method))
    return found


def _codes(value: Any) -> Iterator[CodeType]:
    functions: tuple[Any, ...] = (
        (value.fget, value.fset) if isinstance(value, property) else (value,)
    )
    for function in functions:
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is not None:
            yield code


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)
