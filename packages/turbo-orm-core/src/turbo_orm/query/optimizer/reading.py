"""What a project says of its own functions: which attributes of an object they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

C = TypeVar("C", bound=Callable[..., Any])

# Stands for an attribute that is no field of any model: anything may be read.
ANYTHING = "*"
_READS = "_turbo_orm_reads"


def reads(*paths: str) -> Callable[[C], C]:
    """Say what a function reads of an object, so that it is fetched along and nothing else is.

    Args:
        *paths: attributes of the object, with dots between those of related objects.

    For what an adapter calls for each row: a ``resolve_*`` method of a schema of Ninja's, the
    method of a ``SerializerMethodField``, a serializer's ``to_representation``. Without it they may
    read anything: the object is fetched whole, and relations that only they know are loaded row by
    row.
    """

    def decorate(function: C) -> C:
        setattr(_inner(function), _READS, paths)
        return function

    return decorate


def read_by(function: Any) -> tuple[str, ...]:
    """Return what a function reads of an object: what ``reads`` says of it, else ``ANYTHING``.

    Args:
        function: a function, or a static or class method as it stands in its class.
    """
    found: tuple[str, ...] = getattr(_inner(function), _READS, (ANYTHING,))
    return found


def behind(attribute: str, paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths that are read of what an attribute leads to, from where the attribute is.

    Args:
        attribute: its name or a path; empty is the object itself.
        paths: what is read there; if there are none, it is the attribute alone.
    """
    inner = list(paths)
    if not attribute:
        yield from inner
    elif not inner:
        yield attribute
    else:
        yield from (f"{attribute}.{path}" for path in inner)


def _inner(function: Any) -> Any:
    return getattr(function, "__func__", function)
