"""``resolve_*`` methods that are coroutines, or that are methods of an instance."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Iterable
from inspect import iscoroutinefunction
from typing import Any, ClassVar

from ninja.schema import Resolver
from ninja.signature.utils import get_args_names, has_kwargs
from pydantic import BaseModel

from .awaiting import settled
from .call import Call, running
from .cancellation import ARE_COUNTED
from .shapes import is_ninjas, resolver_function


class Resolvers(dict[str, Any]):
    """The resolvers of a schema, looked into whenever an attribute of an object is read."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the resolver of an attribute; refuse to read on in a task that was cancelled.

        Args:
            key: the attribute.
            default: what to return if it has none.

        Raises:
            CancelledError: the task was cancelled since the operation began, of which pydantic has
                made an error of one attribute. So it will of this, but nothing is queried any more.
        """
        call = running.get()
        resolver = super().get(key, default)
        # An operation may read through a schema in its other tasks, and in threads without any.
        if call is None or not call.is_of_this_task():
            return resolver
        if call.is_cancelled():
            raise asyncio.CancelledError
        return resolver if ARE_COUNTED else _Noting(call, key, resolver)


def enable_resolvers(schemas: Iterable[type[BaseModel]]) -> None:
    """Let the schemas' resolvers be coroutine functions, and take ``self``.

    Ninja keeps them in a dictionary of the class, and has no other place to change how attributes
    are read. Resolvers that it can call itself stay.
    """
    for schema in filter(is_ninjas, schemas):
        resolvers = schema._ninja_resolvers  # type: ignore[attr-defined]
        if not isinstance(resolvers, Resolvers):
            schema._ninja_resolvers = Resolvers(  # type: ignore[attr-defined]
                {
                    key: _enabled(schema, key, resolver) if type(resolver) is Resolver else resolver
                    for key, resolver in resolvers.items()
                }
            )


def _enabled(schema: type[BaseModel], key: str, resolver: Any) -> Any:
    function = resolver_function(schema, key)
    call = resolver if _is_static(schema, key) else _OfInstance(function)
    return _Awaited(call) if iscoroutinefunction(function) else call


def _is_static(schema: type[BaseModel], key: str) -> bool:
    name = f"resolve_{key}"
    return any(isinstance(vars(cls).get(name), staticmethod) for cls in schema.__mro__)


class _Noting:
    """Reads an attribute, and remembers that the reading was cancelled."""

    def __init__(self, call: Call, key: str, resolver: Any) -> None:
        self._call = call
        self._key = key
        self._resolver = resolver

    def __call__(self, getter: Any) -> Any:
        try:
            if self._resolver is not None:
                return self._resolver(getter)
            plain = type(getter)(getter._obj, _WithoutResolvers, getter._context)
            return getattr(plain, self._key)
        except asyncio.CancelledError:
            self._call.interrupted = True
            raise


class _WithoutResolvers:
    """Stands for a schema whose attributes Ninja reads by itself."""

    _ninja_resolvers: ClassVar[dict[str, Any]] = {}


class _Awaited:
    """Waits for what a resolver returns."""

    def __init__(self, resolver: Callable[..., Any]) -> None:
        self._resolver = resolver

    def __call__(self, getter: Any) -> Any:
        return settled(self._resolver(getter))


class _OfInstance:
    """Calls a resolver that takes ``self``: the fields that the schema has, read as needed."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._takes_context = has_kwargs(function) or "context" in get_args_names(function)

    def __call__(self, getter: Any) -> Any:
        context = {"context": getter._context} if self._takes_context else {}
        return self._function(_Partial(getter), getter._obj, **context)


class _Partial:
    """Looks like the instance of a schema that is still to be made."""

    def __init__(self, getter: Any) -> None:
        self._getter = getter

    def __getattr__(self, name: str) -> Any:
        schema = self._getter._schema_cls
        field = schema.model_fields.get(name)
        if field is not None:
            return getattr(self._getter, field.alias or name)
        found = getattr(schema, name)
        return types.MethodType(found, self) if isinstance(found, types.FunctionType) else found
