"""What Django warns of each time: a plan is not learnt from it.

Learning runs Django's code again. It must not warn again, and only the whole process can be told
to be silent: ``warnings.catch_warnings()`` in several threads leaves the filters of one in force
for all. A field or lookup of the project's that warns of a value of its own does so once more while
a plan is learnt, if a filter shows equal warnings "always".
"""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, JSONField, Model, Value
from django.db.models.fields.json import JSONExact

from .exceptions import Unplannable

REASON = "a value that Django warns of"


def warns_of_name(column: Any) -> bool:
    """Return whether Django warns of the name of a column, as it does of percent signs.

    Args:
        column: its name, or an expression that may have a default alias.
    """
    if isinstance(column, str):
        return "%" in column
    try:
        return "%" in column.default_alias
    except (AttributeError, TypeError):
        # It has none.
        return False


def refuse_assigned(field: Any, value: Any) -> None:
    """Refuse a value that is assigned to a field, if Django warns of it.

    Raises:
        Unplannable: it does.
    """
    target = getattr(field, "target_field", field)
    target = getattr(target, "base_field", target)
    if isinstance(target, DateTimeField) and settings.USE_TZ and _has_no_zone(value):
        raise Unplannable(REASON, lasting=False)


def refuse_compared(query: Any, lookups: Any, lhs: Any, rhs: Any) -> None:
    """Refuse a value that is compared with something, if Django warns of it.

    Args:
        query: Django's.
        lookups: the names of transforms and of the lookup.
        lhs: the left side, without the transforms.
        rhs: the value.

    Raises:
        Unplannable: it does.
    """
    if isinstance(rhs, Value) and isinstance(lhs.output_field, JSONField):
        raise Unplannable(REASON)
    if isinstance(rhs, Model) and rhs.pk is None:
        raise Unplannable(REASON, lasting=False)
    if settings.USE_TZ and _has_no_zone(rhs):
        refuse_assigned(_compared_field(query, lookups, lhs), rhs)


def refuse_lookup(lookup: Any) -> None:
    """Refuse a lookup that Django warns of whenever it is compiled, as it does of JSON's null.

    Raises:
        Unplannable: it is such.
    """
    if type(lookup) is JSONExact and lookup.rhs is None:
        raise Unplannable(REASON)


def _compared_field(query: Any, lookups: Any, lhs: Any) -> Any:
    for name in lookups:
        if lhs.get_lookup(name) is None or name != lookups[-1]:
            lhs = query.try_transform(lhs, name)
    return lhs.output_field


def _has_no_zone(value: Any) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_has_no_zone, value))
    if isinstance(value, datetime.datetime):
        return value.utcoffset() is None
    return isinstance(value, datetime.date | str)
