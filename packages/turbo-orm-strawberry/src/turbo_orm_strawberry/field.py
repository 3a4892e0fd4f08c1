"""Fields that know the limits of an operation, and what makes them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import strawberry_django
from strawberry_django.fields.field import StrawberryDjangoField

from .guards import current_budget

F = TypeVar("F", bound=Callable[..., Any])


class TurboField(StrawberryDjangoField):
    """Mirrors ``StrawberryDjangoField``.

    A list without pages is fetched with a ``LIMIT`` where ``guards`` limits the nodes.
    """

    def get_queryset(self, queryset: Any, info: Any, **kwargs: Any) -> Any:
        """Return the queryset of the field: permitted, filtered, ordered, one page of it.

        Args:
            queryset: what the resolver or the relation gave.
            info: strawberry's.
            **kwargs: the arguments of the field.

        Mirrors ``StrawberryDjangoField.get_queryset``.
        """
        queryset = super().get_queryset(queryset, info, **kwargs)  # type: ignore[no-untyped-call]
        budget = current_budget()
        if budget is None or not self.is_list or "_strawberry_related_field_id" in kwargs:
            return queryset
        return budget.bounded(queryset)


def _with_our_field(function: F) -> F:
    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **{"field_cls": TurboField, **kwargs})

    return make  # type: ignore[return-value]


# To a type checker they are strawberry-django's: what has overloads there has them here.
if TYPE_CHECKING:
    connection = strawberry_django.connection
    field = strawberry_django.field
    input = strawberry_django.input  # noqa: A001 -- strawberry-django's name
    interface = strawberry_django.interface
    node = strawberry_django.node
    offset_paginated = strawberry_django.offset_paginated
    partial = strawberry_django.partial
    type = strawberry_django.type  # noqa: A001 -- strawberry-django's name
else:
    connection = _with_our_field(strawberry_django.connection)
    field = _with_our_field(strawberry_django.field)
    input = _with_our_field(strawberry_django.input)  # noqa: A001 -- strawberry-django's name
    interface = _with_our_field(strawberry_django.interface)
    node = _with_our_field(strawberry_django.node)
    offset_paginated = _with_our_field(strawberry_django.offset_paginated)
    partial = _with_our_field(strawberry_django.partial)
    type = _with_our_field(strawberry_django.type)  # noqa: A001 -- strawberry-django's name
