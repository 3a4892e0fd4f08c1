"""What an operation returns, fetched before Ninja reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Manager, Model, QuerySet
from ninja.responses import Status

from turbo_orm.query import optimize, prefetch

from .shapes import Shape


def fetched(value: Any, shape: Shape, *, optimizing: bool) -> Any:
    """Return a result with its rows in it; what is related to them is fetched along.

    Args:
        value: a queryset, manager, object, list of objects, or a dictionary of such; in the bridge.
        shape: what will be read.
        optimizing: whether anything but the rows themselves is to be fetched.
    """
    if isinstance(value, Manager):
        value = value.all()
    if isinstance(value, QuerySet):
        return list(optimize(value, shape.paths) if optimizing else value)
    if optimizing:
        if isinstance(value, Model):
            _complete([value], shape)
        elif isinstance(value, list | tuple):
            _complete(value, shape)
    if isinstance(value, dict):
        return _members(value, shape, optimizing=optimizing)
    return value


def _complete(instances: Any, shape: Shape) -> None:
    if not instances or not isinstance(instances[0], Model):
        return
    kind = type(instances[0])
    if all(type(one) is kind and one.pk is not None for one in instances):
        prefetch(instances, shape.paths)


def _members(values: dict[Any, Any], shape: Shape, *, optimizing: bool) -> dict[Any, Any]:
    return {
        key: fetched(value, shape.members[key], optimizing=optimizing)
        if key in shape.members
        else value
        for key, value in values.items()
    }


def unwrapped(result: Any, models: Mapping[Any, Any]) -> tuple[Any, Any]:
    """Return the status that a result is for, and the body; the protocol is Ninja's.

    Args:
        result: what the operation returned.
        models: the operation's response models by status.
    """
    if isinstance(result, Status):
        return result.status_code, result.value
    if _is_pair(result):
        status, body = result
        return status, body
    return (next(iter(models)) if len(models) == 1 else 200), result


def wrapped(result: Any, status: Any, body: Any) -> Any:
    """Return a body in what it came in."""
    if isinstance(result, Status):
        return Status(status, body)
    return (status, body) if _is_pair(result) else body


def _is_pair(result: Any) -> bool:
    return isinstance(result, tuple) and len(result) == 2  # noqa: PLR2004 -- status and body
