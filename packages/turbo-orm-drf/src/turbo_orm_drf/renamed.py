"""Names that other packages give to DRF's methods: here nobody would call them.

A permission or an owner that is checked in ``perform_acreate`` would not be checked any more, and
nothing would say so. Honouring both names would leave open which of two overrides is meant.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured

from .shapes import is_known

# By the name in adrf or aiodrf, the name in DRF and here.
OF_VIEWS = {
    "acreate": "create",
    "adestroy": "destroy",
    "afilter_queryset": "filter_queryset",
    "aget_object": "get_object",
    "aget_queryset": "get_queryset",
    "alist": "list",
    "apaginate_queryset": "paginate_queryset",
    "aperform_create": "perform_create",
    "aperform_destroy": "perform_destroy",
    "aperform_update": "perform_update",
    "aretrieve": "retrieve",
    "async_dispatch": "dispatch",
    "aupdate": "update",
    "check_async_object_permissions": "check_object_permissions",
    "check_async_permissions": "check_permissions",
    "check_async_throttles": "check_throttles",
    "get_apaginated_response": "get_paginated_response",
    "partial_aupdate": "partial_update",
    "perform_acreate": "perform_create",
    "perform_adestroy": "perform_destroy",
    "perform_aupdate": "perform_update",
}
OF_SERIALIZERS = {
    "acreate": "create",
    "aget_attribute": "get_attribute",
    "asave": "save",
    "ato_representation": "to_representation",
    "aupdate": "update",
}


def refuse_other_names(cls: type, names: Mapping[str, str]) -> None:
    """Refuse a class whose coroutine functions have names that nobody calls.

    Args:
        cls: a class that has just been made.
        names: by each such name, the one that is called.

    Raises:
        ImproperlyConfigured: it has such a method, and none of its own by the name that is called.
    """
    for name, called in names.items():
        function: Any = inspect.getattr_static(cls, name, None)
        if is_known(function) or not iscoroutinefunction(function):
            continue
        # An action is called by its route.
        if hasattr(function, "mapping") or _has_own(cls, called):
            continue
        raise ImproperlyConfigured(
            f"{cls.__qualname__}.{name}() would never be called: turbo_orm_drf calls {called}(), "
            f"as Django REST framework does, and that may be a coroutine function. "
            f"Rename {name}() to {called}()."
        )


def _has_own(cls: type, name: str) -> bool:
    return not is_known(inspect.getattr_static(cls, name, None))
