"""What differs between the releases of Django in how ``ModelIterable`` makes instances."""

from __future__ import annotations

import functools
from typing import Any

import django
from django.db.models import query as query_module
from django.db.models.query import RelatedPopulator

# Whether instances know which others were fetched with them: Django's fetch modes need it.
PEERS = django.VERSION >= (6, 1)
# Those that select_related() makes have known it since Django 6.1.2.
RELATED_PEERS = "peers" in RelatedPopulator.__init__.__code__.co_names
# Django 6.1.0 calls from_db() itself; 6.1.1 and newer by way of this function.
_GET_FROM_DB: Any = getattr(query_module, "_get_from_db", None)


def get_from_db(model: Any, fetch_mode: object) -> Any:
    """Return the ``from_db`` of a model class, with the fetch mode bound where Django has one.

    Args:
        model: the model class.
        fetch_mode: the queryset's, None before Django 6.1.

    Returns:
        A callable of alias, names and values.
    """
    if not PEERS:
        return model.from_db
    if _GET_FROM_DB is None:
        return functools.partial(model.from_db, fetch_mode=fetch_mode)
    return _GET_FROM_DB(model, fetch_mode)
