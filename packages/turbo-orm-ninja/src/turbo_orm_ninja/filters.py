"""Query parameters that order and search, by fields that you allow and no others."""

from __future__ import annotations

import functools
import operator
from typing import Any, ClassVar, TypeVar

from django.db.models import Q, QuerySet
from pydantic import field_validator

from ninja import Field, Schema

S = TypeVar("S", bound="QuerySet[Any, Any]")


class OrderingSchema(Schema):
    """What ``ordering`` makes subclasses of: one parameter, ``order_by``."""

    allowed: ClassVar[tuple[str, ...]] = ()
    default: ClassVar[tuple[str, ...]] = ()

    order_by: str | None = Field(None, description="Names, separated by commas; - reverses one.")

    @field_validator("order_by")
    @classmethod
    def only_allowed(cls, value: str | None) -> str | None:
        """Refuse the names of other fields.

        Args:
            value: what the client sent.

        Raises:
            ValueError: a name is not allowed; Ninja answers 422.
        """
        for name in _names(value):
            if name.removeprefix("-") not in cls.allowed:
                raise ValueError(f"{name!r} is not one of {', '.join(cls.allowed)}")
        return value

    def sort(self, queryset: S) -> S:
        """Return the queryset in the order that was asked for, or in the default one.

        Args:
            queryset: any queryset.
        """
        names = _names(self.order_by) or list(self.default)
        return queryset.order_by(*names) if names else queryset


class SearchSchema(Schema):
    """What ``search`` makes subclasses of: one parameter, ``search``."""

    lookups: ClassVar[tuple[str, ...]] = ()

    search: str | None = Field(None, description="Words that must all occur.")

    def filter(self, queryset: S) -> S:
        """Return the rows in which every word occurs in one of the fields.

        Args:
            queryset: any queryset.
        """
        for word in (self.search or "").split():
            conditions = (Q(**{lookup: word}) for lookup in self.lookups)
            queryset = queryset.filter(functools.reduce(operator.or_, conditions))
        return queryset


def ordering(*allowed: str, default: str | tuple[str, ...] = ()) -> type[OrderingSchema]:
    """Return a schema of one parameter, ``order_by``, that accepts some fields.

    Args:
        *allowed: names for ``order_by()``, without a sign.
        default: the order if none is asked for.

    Use it as ``order: Query[ordering("title", "created")]`` and ``order.sort(queryset)``.
    """
    default = (default,) if isinstance(default, str) else default
    return type("Ordering", (OrderingSchema,), {"allowed": allowed, "default": default})


def search(*fields: str) -> type[SearchSchema]:
    """Return a schema of one parameter, ``search``, that looks into some fields.

    Args:
        *fields: names for ``filter()``, with or without a lookup; ``icontains`` is the default.

    Raises:
        ValueError: no field is named.

    Use it as ``words: Query[search("title", "author__name")]`` and ``words.filter(queryset)``.
    """
    if not fields:
        raise ValueError("search() takes the names of the fields to look into")
    lookups = tuple(name if _has_lookup(name) else f"{name}__icontains" for name in fields)
    return type("Search", (SearchSchema,), {"lookups": lookups})


LOOKUPS = ("exact", "iexact", "contains", "icontains", "startswith", "istartswith", "search")


def _has_lookup(name: str) -> bool:
    return name.rpartition("__")[2] in LOOKUPS


def _names(value: str | None) -> list[str]:
    return [name for name in (value or "").split(",") if name]
