"""DRF's serializers: awaitable, and with methods that may be coroutine functions."""

from __future__ import annotations

import functools
from inspect import getattr_static
from types import FunctionType
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.utils.functional import cached_property
from rest_framework import fields, serializers
from rest_framework.serializers import ListSerializer as ListOfDRF

from turbo_orm import run_sync

from .awaiting import adopted, methods_of, settled, wait_in_methods, waiting
from .quiet import undescribed
from .renamed import OF_SERIALIZERS, refuse_other_names

__all__ = [
    "AsyncSerializerMixin",
    "BaseSerializer",
    "HyperlinkedModelSerializer",
    "ListSerializer",
    "ModelSerializer",
    "Serializer",
]

# Everything that DRF calls of a serializer.
METHODS = methods_of(
    fields.Field,
    serializers.BaseSerializer,
    serializers.Serializer,
    serializers.ListSerializer,
    serializers.ModelSerializer,
)
# Of fields that a serializer has: DRF calls `validate_title` and `get_title`.
PREFIXES = ("validate_", "get_")
DRFS_FIELDS = vars(serializers.Serializer)["fields"]


@undescribed
class AsyncSerializerMixin:
    """Makes a serializer class of DRF's awaitable: put it before that class among the bases.

    ``validate``, ``validate_<field>``, ``create``, ``update``, ``save``, ``to_representation`` and
    the others that DRF calls, and those of the fields, may be coroutine functions. DRF's own code
    runs unmodified, in the bridge.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_other_names(cls, OF_SERIALIZERS)
        declared = getattr(cls, "_declared_fields", {}).values()
        named = {str(getattr(field, "method_name", None)) for field in declared}
        prefixed = {name for name in dir(cls) if name.startswith(PREFIXES)}
        wait_in_methods(cls, METHODS | prefixed | named)
        if getattr_static(cls, "fields", None) is DRFS_FIELDS:
            own = cached_property(_fields)
            own.__set_name__(cls, "fields")
            setattr(cls, "fields", own)  # noqa: B010 -- lists of serializers have none

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a list serializer, which can be awaited too.

        Args:
            *args: as for the serializer.
            **kwargs: as for the serializer.

        Mirrors ``BaseSerializer.many_init``.
        """
        inherited: Any = super()
        made = inherited.many_init(*args, **kwargs)
        if type(made) is ListOfDRF:
            # DRF has the name of its own class in the code; ours only adds to it.
            made.__class__ = ListSerializer
        return made

    async def ais_valid(self, *, raise_exception: bool = False) -> bool:
        """Tell whether the data is valid.

        Args:
            raise_exception: raise instead of returning False.

        Raises:
            ValidationError: it is not, and that was asked for.

        Mirrors ``is_valid``, in the bridge.
        """
        serializer: Any = self
        valid: bool = await run_sync(_call, serializer.is_valid, raise_exception=raise_exception)
        return valid

    async def asave(self, **kwargs: Any) -> Any:
        """Save what is valid, and return the instance or the list of instances.

        Args:
            **kwargs: further attributes.

        Mirrors ``save``, in the bridge.
        """
        serializer: Any = self
        return await run_sync(_call, serializer.save, **kwargs)

    async def adata(self) -> Any:
        """Return what goes out; relations that are not loaded yet are queried.

        Mirrors ``data``, in the bridge.
        """
        return await run_sync(getattr, self, "data")


def _fields(self: Any) -> Any:
    """Return the fields by name, each with its coroutine functions where DRF can call them."""
    found = DRFS_FIELDS.__get__(self, type(self))
    for field in found.values():
        _adopt_field(field)
    return found


def _call(method: Any, **kwargs: Any) -> Any:
    return settled(method(**kwargs))


def _adopt_field(field: Any) -> None:
    adopted(field)
    given = vars(field).get("_kwargs", {}).get("validators")
    if given and any(_is_coroutine_function(validator) for validator in given):
        field.validators = [_adopt_validator(validator) for validator in field.validators]
    state = vars(field)
    for inner in ("child", "child_relation"):
        if inner in state:
            _adopt_field(state[inner])


def _is_coroutine_function(validator: Any) -> bool:
    kind: Any = type(validator)
    return iscoroutinefunction(validator) if kind is FunctionType else _has_coroutine_call(kind)


@functools.lru_cache(maxsize=1024)
def _has_coroutine_call(kind: Any) -> bool:
    return iscoroutinefunction(kind.__call__)


def _adopt_validator(validator: Any) -> Any:
    if not _is_coroutine_function(validator):
        return validator
    return waiting(validator) if type(validator) is FunctionType else _Validator(validator)


class _Validator:
    """Waits for a validator whose ``__call__`` is a coroutine function; else what it wraps."""

    def __init__(self, validator: Any) -> None:
        self._validator = validator

    def __call__(self, *args: Any) -> None:
        settled(self._validator(*args))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._validator, name)


@undescribed
class BaseSerializer(AsyncSerializerMixin, serializers.BaseSerializer):
    """Mirrors ``rest_framework.serializers.BaseSerializer``."""


@undescribed
class Serializer(BaseSerializer, serializers.Serializer):
    """Mirrors ``rest_framework.serializers.Serializer``."""


@undescribed
class ListSerializer(BaseSerializer, serializers.ListSerializer):
    """Mirrors ``rest_framework.serializers.ListSerializer``."""


@undescribed
class ModelSerializer(Serializer, serializers.ModelSerializer):
    """Mirrors ``rest_framework.serializers.ModelSerializer``."""


@undescribed
class HyperlinkedModelSerializer(ModelSerializer, serializers.HyperlinkedModelSerializer):
    """Mirrors ``rest_framework.serializers.HyperlinkedModelSerializer``."""


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(serializers, name)
