"""What the rows will be read for, learnt before they are fetched, if that is safe.

A serializer is made for it, once per class. Code of the project's that DRF would call once per
request might have effects, make queries or answer otherwise before its time: where there is any
that matters, nothing is learnt.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from rest_framework import renderers, serializers

from .renderers import StreamRenderer
from .shapes import is_drfs, paths_of

# What makes a field or serializer, and what decides which fields a serializer has.
MAKING = ("__init__", "__new__", "__deepcopy__", "bind", "many_init")
DECIDING = (
    *MAKING,
    *("fields", "_readable_fields", "_get_model_fields", "build_field", "build_nested_field"),
    *("build_property_field", "build_relational_field", "build_standard_field"),
    *("build_unknown_field", "build_url_field", "get_default_field_names", "get_extra_kwargs"),
    *("get_field_names", "get_fields", "get_uniqueness_extra_kwargs", "include_extra_kwargs"),
)
# Attributes of a class that DRF asks when it makes fields; code may change them at any time.
ASKED = (
    *("serializer_choice_field", "serializer_related_field", "serializer_related_to_field"),
    *("serializer_url_field", "url_field_name", "_declared_fields"),
)
OPTIONS = ("model", "depth", "exclude", "fields", "read_only_fields", "list_serializer_class")
# Of a paginator: what a project may have of its own that sees no row, and what sees the page only.
BLIND = {
    *("get_limit", "get_offset", "get_ordering", "get_page_number", "get_page_size"),
    *("get_paginated_response_schema", "get_schema_fields", "get_schema_operation_parameters"),
}
AFTERWARDS = {"get_html_context", "get_paginated_response", "to_html"}
# Names in a `get_serializer_class` that looks at nothing but the request and the action.
HARMLESS = {
    *("GET", "action", "args", "basename", "detail", "format_kwarg", "get", "headers", "kwargs"),
    *("get_serializer_class", "lower", "method", "query_params", "request", "serializer_class"),
    *("startswith", "super", "swagger_fake_view", "upper", "version"),
}
# Classes of these have no methods that see what a project's would.
PACKAGES = ("rest_framework.", "turbo_orm_drf.", "builtins", "typing")
PLAIN = (str, int, tuple, frozenset, type(None))

Learnt = tuple[Any, "frozenset[str] | None"]
_learnt: WeakKeyDictionary[type, dict[Any, Learnt]] = WeakKeyDictionary()


def why_unknown(view: Any, action: str) -> str | None:
    """Return why it is not known before what rows are fetched for, None if it is.

    Args:
        view: a generic view that handles a request.
        action: of DRF's, ``list`` or ``retrieve``.
    """
    if not runs_drfs(view, action):
        return f"the view's handler is not DRF's {action}()"
    if not is_drfs(view, "get_serializer", "paginate_queryset"):
        return "the view has a get_serializer() or paginate_queryset() of its own"
    if action == "list" and own_methods(view.paginator) - BLIND - AFTERWARDS:
        return "the paginator has methods of its own that see the rows"
    kind: Any = type(view)
    function = inspect.getattr_static(kind, "get_serializer_class")
    if not is_drfs(kind, "get_serializer_class") and not looks_at_request(function, kind):
        return "get_serializer_class() may look at more than the request and the action"
    return None


def may_leave_columns(view: Any) -> bool:
    """Tell whether no code of the project's sees the rows that a view lists.

    Args:
        view: one of whose rows it is known what they are fetched for.
    """
    renderer = getattr(view.request, "accepted_renderer", None)
    return (
        is_drfs(view, "finalize_response", "get_paginated_response", "list")
        and isinstance(renderer, (renderers.JSONRenderer, StreamRenderer))
        and is_drfs(renderer, "render")
        and own_methods(view.paginator) <= BLIND
    )


def runs_drfs(view: Any, action: str) -> bool:
    """Tell whether a request is answered by an action as DRF has it.

    Args:
        view: a generic view that handles a request.
        action: the name of the action.
    """
    method = view.request.method.lower()
    name = getattr(view, "action", None) or ("get" if method == "head" else method)
    if name not in (action, "get") or not hasattr(type(view), action):
        return False
    return hasattr(type(view), name) and is_drfs(view, action, name)


def own_methods(policy: Any) -> set[str]:
    """Return the names of methods that a class of the project's adds to DRF's or overrides.

    Args:
        policy: an instance, or None.
    """
    return {
        name
        for cls in type(policy).__mro__
        if not cls.__module__.startswith(PACKAGES)
        for name, value in vars(cls).items()
        if is_method(value)
    }


def is_method(value: Any) -> bool:
    """Tell whether an attribute of a class is code."""
    return inspect.isroutine(value) or isinstance(value, property) or hasattr(value, "func")


@functools.lru_cache(maxsize=512)
def looks_at_request(function: Any, kind: Any) -> bool:
    """Tell whether a method looks at nothing but the request, the action and serializer classes.

    Args:
        function: of a view.
        kind: the view's class.
    """
    function = inspect.unwrap(function)
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        return False
    return all(_is_harmless(name, function.__globals__, kind) for name in _names(function.__code__))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from (name for name in code.co_freevars if name != "__class__")
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _is_harmless(name: str, names: dict[str, Any], kind: type) -> bool:
    own = inspect.getattr_static(kind, name, None)
    if name in HARMLESS:
        return not isinstance(own, property)
    found = names.get(name, own)
    if isinstance(found, ModuleType):
        return True
    modules = [value for value in names.values() if isinstance(value, ModuleType)]
    candidates = [found, *(getattr(module, name, None) for module in modules)]
    known = [value for value in candidates if value is not None]
    return bool(known) and all(map(_is_value, known))


def _is_value(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_value, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_value, value))
    return isinstance(value, PLAIN) or is_serializer_class(value)


def is_serializer_class(value: Any) -> bool:
    """Tell whether a value is a class of serializers."""
    return isinstance(value, type) and issubclass(value, serializers.BaseSerializer)


def paths_of_class(kind: Any, model: Any) -> frozenset[str] | None:
    """Return what serializers of a class read, None if each may read something else.

    Args:
        kind: the class; code may change its ``Meta`` between two requests.
        model: of the rows.
    """
    if not is_serializer_class(kind):
        return None
    known = _learnt.setdefault(kind, {})
    said = [options(one) for one in _classes(kind)]
    if model not in known or known[model][0] != said:
        paths = paths_of(kind(), model) if all(map(makes_drfs, _makers(kind))) else None
        known[model] = (said, paths)
    return known[model][1]


def options(kind: Any) -> Any:
    """Return all that a serializer class says of its fields now, as it will be compared."""
    meta = getattr(kind, "Meta", None)
    asked = [getattr(kind, name, None) for name in ASKED]
    said = [_copied(getattr(meta, name, None)) for name in OPTIONS]
    extra = getattr(meta, "extra_kwargs", None) or {}
    mapping = _copied(getattr(kind, "serializer_field_mapping", None))
    return asked, said, {name: _copied(given) for name, given in extra.items()}, mapping


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, (list, dict)) else value


def makes_drfs(maker: Any) -> bool:
    """Tell whether it is DRF that makes the fields of a class, or a field."""
    return is_drfs(maker, *DECIDING)


def _classes(kind: Any) -> Iterator[Any]:
    """Yield a serializer class and those of the serializers that it declares as fields."""
    yield kind
    for field in getattr(kind, "_declared_fields", {}).values():
        inner = getattr(field, "child", field)
        if isinstance(inner, serializers.BaseSerializer):
            yield from _classes(type(inner))


def _makers(kind: Any) -> Iterator[Any]:
    """Yield the classes of everything that is made with a serializer."""
    for one in _classes(kind):
        yield one
        yield from getattr(one, "serializer_field_mapping", {}).values()
        yield from (getattr(one, name, None) or object for name in ASKED[:4])
        yield getattr(getattr(one, "Meta", None), "list_serializer_class", object)
        for field in getattr(one, "_declared_fields", {}).values():
            yield type(field)
            for inner in ("child", "child_relation"):
                if inner in vars(field):
                    yield type(vars(field)[inner])
