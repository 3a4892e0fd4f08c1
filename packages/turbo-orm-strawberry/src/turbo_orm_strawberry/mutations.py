"""Mutations that may run in a transaction; mirrors ``strawberry_django.mutations``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from strawberry.annotation import StrawberryAnnotation
from strawberry.extensions.field_extension import FieldExtension
from strawberry.field_extensions import InputMutationExtension
from strawberry.permission import BasePermission
from strawberry_django.mutations import fields
from strawberry_django.mutations.types import FullCleanOptions
from strawberry_django.resolvers import default_qs_hook, django_resolver
from typing_extensions import Self, Unpack

from turbo_orm import atomic as async_atomic
from turbo_orm import run_sync

__all__ = ["create", "delete", "input_mutation", "mutation", "update"]


class Options(TypedDict, total=False):
    """What every mutation takes, as strawberry-django names it."""

    name: str | None
    field_name: str | None
    is_subscription: bool
    description: str | None
    permission_classes: list[type[BasePermission]] | None
    deprecation_reason: str | None
    default: Any
    default_factory: Callable[..., object] | object
    metadata: Mapping[Any, Any] | None
    directives: Sequence[object] | None
    graphql_type: Any
    extensions: list[FieldExtension] | None
    handle_django_errors: bool | None
    init: bool | None


class InputOptions(Options, total=False):
    """What the mutations take beyond that which write a model by an input."""

    argument_name: str | None
    full_clean: bool | FullCleanOptions


class KeyedOptions(InputOptions, total=False):
    """What the mutations take beyond that which look for what they write."""

    key_attr: str | None
    filters: Any


Field = TypeVar("Field", bound="AtomicMutation")


class AtomicMutation(fields.DjangoMutationBase):
    """A mutation that is one transaction if it says so.

    Args:
        *args: as for strawberry-django's.
        atomic: whether, or the alias of the database.
        **kwargs: as for strawberry-django's.
    """

    def __init__(self, *args: Any, atomic: bool | str = False, **kwargs: Any) -> None:
        self.atomic = atomic
        super().__init__(*args, **kwargs)

    def __copy__(self) -> Self:
        new_field = super().__copy__()
        new_field.atomic = self.atomic
        return new_field

    def resolver(self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Return what the mutation's own resolver returns, run in a transaction if it says so.

        Args:
            source: the root value.
            info: strawberry's.
            args: the positional arguments of the resolver.
            kwargs: the named ones.

        An error rolls back before it becomes an ``OperationInfo``.
        """
        resolve = super().resolver
        if not self.atomic:
            return resolve(source, info, args, kwargs)
        using = self.atomic if isinstance(self.atomic, str) else None
        if self.base_resolver is not None and self.base_resolver.is_async:
            return _awaited(using, resolve, source, info, args, kwargs)
        block = transaction.atomic(using)(_fetched(resolve))
        return django_resolver(block, qs_hook=None)(source, info, args, kwargs)


class AtomicCreateMutation(AtomicMutation, fields.DjangoCreateMutation):
    """Mirrors ``DjangoCreateMutation``."""


class AtomicUpdateMutation(AtomicMutation, fields.DjangoUpdateMutation):
    """Mirrors ``DjangoUpdateMutation``."""


class AtomicDeleteMutation(AtomicMutation, fields.DjangoDeleteMutation):
    """Mirrors ``DjangoDeleteMutation``."""


async def _awaited(using: str | None, resolve: Callable[..., Any], *args: Any) -> Any:
    async with async_atomic(using):
        result = await resolve(*args)
        if isinstance(result, QuerySet):
            result = await run_sync(default_qs_hook, result)
        return result


def _fetched(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolve_and_fetch(*args: Any) -> Any:
        result = resolve(*args)
        return default_qs_hook(result) if isinstance(result, QuerySet) else result

    return resolve_and_fetch


def mutation(
    resolver: Any = None, *, atomic: bool | str = False, **options: Unpack[Options]
) -> Any:
    """Make a field of a function that writes.

    Args:
        resolver: the function, synchronous or not; without it this is a decorator.
        atomic: whether it is one transaction, or the alias of the database of the transaction.
        **options: as for strawberry-django's.

    Mirrors ``strawberry_django.mutation``.
    """
    made = _field(AtomicMutation, options, atomic=atomic)
    return made if resolver is None else made(resolver)


def input_mutation(
    resolver: Any = None, *, atomic: bool | str = False, **options: Unpack[Options]
) -> Any:
    """Make a field of a function that writes, whose arguments are one input.

    Args:
        resolver: the function, synchronous or not; without it this is a decorator.
        atomic: whether it is one transaction, or the alias of the database of the transaction.
        **options: as for strawberry-django's.

    Mirrors ``strawberry_django.input_mutation``.
    """
    extensions = [*(options.pop("extensions", None) or ()), InputMutationExtension()]
    made = _field(AtomicMutation, {**options, "extensions": extensions}, atomic=atomic)
    return made if resolver is None else made(resolver)


def create(
    input_type: type | None = None, *, atomic: bool | str = False, **options: Unpack[InputOptions]
) -> Any:
    """Make a field that creates objects.

    Args:
        input_type: what it is given.
        atomic: the alias of the database of its transaction; it is one in any case.
        **options: as for strawberry-django's.

    Mirrors ``strawberry_django.mutations.create``.
    """
    return _field(AtomicCreateMutation, options, atomic=atomic, input_type=input_type)


def update(
    input_type: type | None = None, *, atomic: bool | str = False, **options: Unpack[KeyedOptions]
) -> Any:
    """Make a field that updates objects.

    Args:
        input_type: what it is given.
        atomic: the alias of the database of its transaction; it is one in any case.
        **options: as for strawberry-django's.

    Mirrors ``strawberry_django.mutations.update``.
    """
    return _field(AtomicUpdateMutation, options, atomic=atomic, input_type=input_type)


def delete(
    input_type: type | None = None, *, atomic: bool | str = False, **options: Unpack[KeyedOptions]
) -> Any:
    """Make a field that deletes objects.

    Args:
        input_type: what it is given.
        atomic: the alias of the database of its transaction; it is one in any case.
        **options: as for strawberry-django's.

    Mirrors ``strawberry_django.mutations.delete``.
    """
    return _field(AtomicDeleteMutation, options, atomic=atomic, input_type=input_type)


def _field(kind: type[Field], options: Any, **more: Any) -> Field:
    """Return a field, with the options under the names that its class has for them."""
    given = dict(options)
    given.pop("init", None)  # only for type checkers
    return kind(
        python_name=None,
        graphql_name=given.pop("name", None),
        django_name=given.pop("field_name", None),
        type_annotation=StrawberryAnnotation.from_annotation(given.pop("graphql_type", None)),
        permission_classes=given.pop("permission_classes", None) or [],
        extensions=given.pop("extensions", None) or (),
        **given,
        **more,
    )
