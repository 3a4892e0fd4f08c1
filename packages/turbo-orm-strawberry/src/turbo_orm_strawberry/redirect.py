"""Names of strawberry-django's that are replaced, so that it needs no thread in the bridge.

Most of it asks ``in_async_context`` and hands synchronous code to ``sync_to_async``. In the bridge
an event loop runs as well, but synchronous code may wait there. Outside the bridge all of these do
what they did before, for schemas without the extension too.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import graphql
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet

from turbo_orm import await_, in_bridge
from turbo_orm.foreign import names_in

from .instances import one_for_each_operation
from .operation import current_operation
from .permissions import one_at_a_time
from .streams import opened
from .synchronous import synchronously

DISTRIBUTION = "strawberry-graphql-django"


def outside_the_bridge(original: Callable[[], bool]) -> Callable[[], bool]:
    """Return an ``in_async_context`` that says no in the bridge."""

    @functools.wraps(original)
    def replacement() -> bool:
        return original() and not in_bridge()

    return replacement


def inline_in_the_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` that calls the function where it is, if that is in the bridge."""

    @functools.wraps(original)
    def replacement(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        async def call_inline(*args: Any, **kwargs: Any) -> Any:
            if in_bridge():
                return function(*args, **kwargs)
            return await original(function, **options)(*args, **kwargs)

        return call_inline

    return replacement


def awaited_in_the_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``async_to_sync`` that waits where it is, if that is in the bridge."""

    @functools.wraps(original)
    def replacement(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        def call_awaited(*args: Any, **kwargs: Any) -> Any:
            if in_bridge():
                return await_(function(*args, **kwargs), suspending=True)
            return original(function, **options)(*args, **kwargs)

        return call_awaited

    return replacement


class Rows:
    """A queryset that is no asynchronous iterable: to be sliced and read synchronously."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self._queryset = queryset

    def __getitem__(self, wanted: slice) -> Any:
        return self._queryset[wanted]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._queryset)


def sliced_in_the_bridge(original: Any) -> Any:
    """Return a ``resolve_connection`` that reads a queryset synchronously in the bridge.

    As an asynchronous iterable it would be read even if only its count is asked for.
    """
    function: Callable[..., Any] = original.__func__

    @functools.wraps(function)
    def resolve_connection(cls: Any, nodes: Any, **kwargs: Any) -> Any:
        if isinstance(nodes, QuerySet) and in_bridge():
            nodes = Rows(nodes)
        return function(cls, nodes, **kwargs)

    wrapped: Any = resolve_connection
    return classmethod(wrapped)


def stepped_in_the_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``subscribe`` of graphql-core 3.2 whose every event is executed in the bridge.

    It executes events without the extensions: what is synchronous in them runs where it is.
    """

    @functools.wraps(original)
    def subscribe(*args: Any, **kwargs: Any) -> Any:
        operation = current_operation()
        if operation is None:
            return original(*args, **kwargs)
        return opened(functools.partial(original, *args, **kwargs), operation)

    return subscribe


def with_all_of_the_info(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``_generate_selection_resolve_info`` that knows the info of graphql-core 3.3.

    Before 0.89 strawberry-django makes one of the fields that graphql-core 3.2 has, which fails.
    """

    @functools.wraps(original)
    def replacement(info: Any, field_nodes: Any, return_type: Any, parent_type: Any) -> Any:
        name = field_nodes[0].name.value
        return info._replace(
            field_name=name,
            field_nodes=field_nodes,
            return_type=return_type,
            parent_type=parent_type,
            path=info.path.add_key(0).add_key(name, parent_type.name),
        )

    return replacement


@dataclasses.dataclass(frozen=True)
class Redirect:
    """One name that is replaced.

    Args:
        owner: the module that holds the name, and a class in it if there is one.
        name: the name.
        replacement: makes the new value from the old one.
        users: functions of the owner that must still refer to the name; else the replacement would
            silently do nothing.
        since: the first version of strawberry-django that has it.
        before: the first that does not need the replacement any more, None if all do.
    """

    owner: str
    name: str
    replacement: Callable[[Any], Any]
    users: tuple[str, ...] = ()
    since: tuple[int, int] = (0, 0)
    before: tuple[int, int] | None = None

    @property
    def applies(self) -> bool:
        """Whether the strawberry-django that is installed needs it."""
        version = installed()
        return self.since <= version and (self.before is None or version < self.before)


_field = functools.partial(Redirect, "strawberry_django.fields.field")
_of_permissions = functools.partial(Redirect, "strawberry_django.permissions:HasPerm")

TABLE: tuple[Redirect, ...] = (
    Redirect(
        "strawberry_django.resolvers",
        "in_async_context",
        outside_the_bridge,
        ("django_resolver",),
    ),
    _field(
        "in_async_context",
        outside_the_bridge,
        ("StrawberryDjangoConnectionExtension.apply",),
        since=(0, 87),
    ),
    _field("sync_to_async", inline_in_the_bridge, ("StrawberryDjangoField.get_result",)),
    Redirect("strawberry.relay.types:ListConnection", "resolve_connection", sliced_in_the_bridge),
    Redirect(
        "strawberry_django.relay.list_connection",
        "in_async_context",
        outside_the_bridge,
        ("DjangoListConnection.resolve_optimized_last_connection",),
    ),
    Redirect(
        "strawberry_django.relay.cursor_connection",
        "in_async_context",
        outside_the_bridge,
        ("DjangoCursorConnection.resolve_connection",),
    ),
    Redirect(
        "strawberry_django.relay.utils",
        "sync_to_async",
        inline_in_the_bridge,
        ("resolve_model_nodes",),
    ),
    Redirect(
        "strawberry_django.utils.query",
        "in_async_context",
        outside_the_bridge,
        ("filter_for_user_q",),
    ),
    Redirect(
        "strawberry_django.permissions",
        "sync_to_async",
        inline_in_the_bridge,
        ("DjangoPermissionExtension.resolve_async",),
    ),
    _of_permissions("_has_perm", one_at_a_time),
    _of_permissions("_resolve_obj", one_at_a_time),
    Redirect(
        "strawberry_django.auth.utils",
        "sync_to_async",
        inline_in_the_bridge,
        ("aget_current_user",),
    ),
    Redirect(
        "strawberry_django.auth.mutations",
        "async_to_sync",
        awaited_in_the_bridge,
        ("resolve_login", "resolve_logout"),
    ),
    Redirect("strawberry.schema.schema:Schema", "execute_sync", synchronously),
    Redirect("strawberry.schema.schema:Schema", "get_extensions", one_for_each_operation),
)
# What differs between the releases of graphql-core.
FOR_GRAPHQL_3_2 = (Redirect("strawberry.schema.schema", "subscribe", stepped_in_the_bridge),)
FOR_GRAPHQL_3_3 = (
    Redirect(
        "strawberry_django.optimizer",
        "_generate_selection_resolve_info",
        with_all_of_the_info,
        ("_get_field_data",),
        before=(0, 89),
    ),
)
TABLE += FOR_GRAPHQL_3_2 if graphql.version_info < (3, 3) else FOR_GRAPHQL_3_3

_originals: dict[tuple[str, str], Any] = {}


def apply(table: tuple[Redirect, ...] = TABLE) -> None:
    """Put every replacement in place; safe to call again.

    Args:
        table: what is replaced.

    Raises:
        ImproperlyConfigured: a name is not in this strawberry-django any more, or is not used where
            it was; nothing is replaced then.
    """
    rows = [row for row in table if row.applies and _key(row) not in _originals]
    for row in rows:
        _verify(row)
    for row in rows:
        owner = _resolve(row)
        _originals[_key(row)] = original = inspect.getattr_static(owner, row.name)
        setattr(owner, row.name, row.replacement(original))


def revert() -> None:
    """Put the original names back."""
    while _originals:
        (owner, name), original = _originals.popitem()
        setattr(_find(owner), name, original)


def installed() -> tuple[int, int]:
    """Return the version of strawberry-django."""
    major, minor = version(DISTRIBUTION).split(".")[:2]
    return int(major), int(minor)


def _key(row: Redirect) -> tuple[str, str]:
    return row.owner, row.name


def _find(path: str) -> Any:
    module, _, name = path.partition(":")
    found = importlib.import_module(module)
    return getattr(found, name) if name else found


def _resolve(row: Redirect) -> Any:
    try:
        return _find(row.owner)
    except (ImportError, AttributeError):
        raise _gone(row, f"{row.owner} is gone") from None


def _verify(row: Redirect) -> None:
    owner = _resolve(row)
    if not hasattr(owner, row.name):
        raise _gone(row, f"{row.owner} has no {row.name}")
    for user in row.users:
        function = owner
        for name in user.split("."):
            function = getattr(function, name, None)
        if row.name not in names_in(function):
            raise _gone(row, f"{user} does not use {row.name}")


def _gone(row: Redirect, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"turbo_orm_strawberry redirects {row.owner}.{row.name}, but in {DISTRIBUTION} "
        f"{version(DISTRIBUTION)} {what}. Install a version of turbo-orm-strawberry that knows it."
    )
