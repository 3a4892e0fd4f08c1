"""What a frame of Django's was called for, in the words of the code that called it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ContextDecorator
from inspect import iscoroutinefunction, isfunction, unwrap
from types import CodeType, FrameType
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ReverseOneToOneDescriptor,
)
from django.db.models.manager import BaseManager
from django.db.models.query import RawQuerySet
from django.db.transaction import Atomic

EVALUATIONS = {
    "__bool__": "tested for truth",
    "__getitem__": "indexed",
    "__iter__": "iterated",
    "__len__": "measured with len()",
    "__repr__": "printed",
    "_fetch_all": "evaluated",
    "_iterator": "iterated",
    "iterator": "iterated",
}
# What exists under another name than that of the method with an "a" before it.
SHORTER = {"__bool__": "aexists", "__len__": "acount"}
# The awaitable forms of a session's operators.
OPERATORS = {"__getitem__": "get", "__setitem__": "set", "__contains__": "has_key"}
# Functions that find for themselves what they query: what they call inside was written by nobody.
# Most have an awaitable form from Django 5.0 on.
FUNCTIONS = {
    ("django.contrib.auth", "authenticate"),
    ("django.contrib.auth", "get_user"),
    ("django.contrib.auth", "login"),
    ("django.contrib.auth", "logout"),
    ("django.contrib.auth", "update_session_auth_hash"),
    ("django.core.management", "call_command"),
    ("django.db.models.query", "prefetch_related_objects"),
}
OF_TRANSACTIONS = {
    *("commit", "rollback", "set_autocommit"),
    *("savepoint", "savepoint_commit", "savepoint_rollback"),
}
BLOCK = "`async with atomic():`"
OUR_BLOCK = "`async with turbo_orm.atomic():`"
# What calls a function that a context manager decorates.
DECORATED = getattr(ContextDecorator()(bool), "__code__")  # noqa: B009  # unknown to stubs


class Use(NamedTuple):
    """One use of the ORM, as the caller wrote it.

    Args:
        what: a sentence without its end.
        remedies: what can be written in its place.
        of_connection: whether it is below the ORM, which uses connections itself.
    """

    what: str
    remedies: tuple[str, ...] = ()
    of_connection: bool = False


Describe = Callable[[Any, str, FrameType], Use | None]


def use_of(frame: FrameType) -> Use | None:
    """Return what was used where a function of Django's, or of ours, was called.

    Args:
        frame: of that function.

    Returns:
        None if the function is none that code outside of Django would know.
    """
    code = frame.f_code
    if _is_function(frame.f_globals.get(code.co_name), code):
        return _of_function(frame.f_globals, code.co_name)
    if not code.co_argcount:
        return None
    owner: Any = frame.f_locals[code.co_varnames[0]]
    if code.co_name == "__get__":
        return _of_attribute(owner, code.co_name, frame)
    # Not isinstance(): a lazy object, such as `request.user`, would be evaluated by that.
    kind = type(owner)
    found = (describe for base, describe in DESCRIPTIONS.items() if issubclass(kind, base))
    return next(found, _of_other)(owner, _called_name(code.co_name, frame.f_locals), frame)


def _called_name(name: str, variables: Any) -> str:
    """Return the name by which a method is called, which those of generated methods do not show."""
    if name == "guarded":
        return str(variables["function"].__name__)
    if name == "manager_method":
        return str(variables["name"])
    if name == "_get_next_or_previous_by_FIELD":
        which = "next" if variables["is_next"] else "previous"
        return f"get_{which}_by_{variables['field'].name}"
    return name


def _is_function(function: Any, code: CodeType) -> bool:
    return isfunction(function) and getattr(unwrap(function), "__code__", None) is code


def _of_function(module: dict[str, Any], name: str) -> Use | None:
    if (module["__name__"], name) == ("django.contrib.auth.middleware", "get_user"):
        return Use("request.user was read", ("`await request.auser()`",) * ("auser" in module))
    awaitable = iscoroutinefunction(module.get(f"a{name}"))
    if name.startswith("_") or not (awaitable or (module["__name__"], name) in FUNCTIONS):
        return None
    return Use(f"{name}() was called", (f"`await a{name}(...)`",) * awaitable)


def _of_attribute(descriptor: Any, called: str, frame: FrameType) -> Use | None:
    instance: Any = frame.f_locals.get("instance")
    kind = type(instance)
    if not issubclass(kind, Model):
        return None
    names = [name for owner in kind.__mro__ for name, it in vars(owner).items() if it is descriptor]
    if not names:
        return None
    name = names[0]
    remedies = [f'`await {_variable(instance)}.afetch("{name}")`'] * hasattr(kind, "afetch")
    field = getattr(descriptor, "field", None)
    if getattr(field, "attname", None) == name and name in instance.get_deferred_fields():
        remedies.append(f'`await {_variable(instance)}.arefresh_from_db(fields=["{name}"])`')
        return Use(f"{kind.__name__}.{name}, which is deferred, was read", tuple(remedies))
    remedies.append(f'`{_loader(descriptor)}("{name}")` in the query that gives the object')
    return Use(f"{kind.__name__}.{name}, which is not loaded yet, was read", tuple(remedies))


def _loader(descriptor: Any) -> str:
    """Return the queryset method that loads a relation with the object."""
    to_one = (ForwardManyToOneDescriptor, ReverseOneToOneDescriptor)
    return "select_related" if isinstance(descriptor, to_one) else "prefetch_related"


def _of_block(block: Any, called: str, frame: FrameType) -> Use:
    awaitable = hasattr(type(block), "__aenter__")
    caller = frame.f_back
    if caller is not None and caller.f_code is DECORATED:
        name = caller.f_locals["func"].__qualname__
        return Use(
            f"{name}(), which `atomic` decorates, was called",
            (f"`async def` before {name} and await it",) * awaitable,
        )
    return Use("`with atomic():` was entered", (BLOCK if awaitable else OUR_BLOCK,))


def _of_connection(wrapper: Any, name: str, frame: FrameType) -> Use | None:
    if name.startswith("_"):
        return None
    remedies = (OUR_BLOCK,) if name in OF_TRANSACTIONS else ()
    called = "() was called" if callable(getattr(type(wrapper), name, None)) else " was read"
    return Use(f"connections[{wrapper.alias!r}].{name}{called}", remedies, of_connection=True)


def _of_queryset(queryset: Any, name: str, frame: FrameType) -> Use | None:
    if name not in EVALUATIONS:
        return _of_method(queryset, name, f"QuerySet of {queryset.model.__name__}", "queryset")
    kind = type(queryset)
    shorter = SHORTER.get(name, "")
    remedies = [f"`await queryset.{shorter}()`"] if hasattr(kind, shorter) else []
    remedies += ["`await queryset.alist()`"] * hasattr(kind, "alist")
    remedies += ["`async for`"] * hasattr(kind, "__aiter__")
    what = f"A queryset of {queryset.model.__name__} was {EVALUATIONS[name]}"
    return Use(what, tuple(remedies))


def _of_instance(instance: Any, name: str, frame: FrameType) -> Use | None:
    return _of_method(instance, name, type(instance).__name__, _variable(instance))


def _of_manager(manager: Any, name: str, frame: FrameType) -> Use | None:
    shown = _manager_name(manager)
    return _of_method(manager, name, shown, shown)


def _of_method(owner: Any, name: str, shown: str, variable: str) -> Use | None:
    if name.startswith("_") or not hasattr(type(owner), name):
        return None
    awaitable = hasattr(type(owner), f"a{name}")
    return Use(f"{shown}.{name}() was called", (f"`await {variable}.a{name}(...)`",) * awaitable)


def _of_other(owner: Any, name: str, frame: FrameType) -> Use | None:
    """Describe a method of anything else of Django's that has an awaitable form: a session's."""
    called = OPERATORS.get(name, name)
    if not iscoroutinefunction(getattr(type(owner), f"a{called}", None)):
        return None
    shown = type(owner).__name__
    return Use(f"{shown}.{name}() was called", (f"its method `a{called}()`, awaited",))


def _variable(instance: Any) -> str:
    return str(instance._meta.model_name)


def _manager_name(manager: Any) -> str:
    """Return what a manager is reached by: ``Article.objects``, ``article.tags``."""
    instance = getattr(manager, "instance", None)
    if instance is None:
        return f"{manager.model.__name__}.{manager.name or 'objects'}"
    return f"{_variable(instance)}.{next(_accessors(manager), 'relation')}"


def _accessors(manager: Any) -> Iterator[str]:
    name = getattr(manager, "prefetch_cache_name", None)
    if name is not None:
        yield str(name)
    field = getattr(manager, "field", None)
    if field is not None:
        yield str(field.remote_field.get_accessor_name())


DESCRIPTIONS: dict[type, Describe] = {
    Atomic: _of_block,
    BaseDatabaseWrapper: _of_connection,
    BaseManager: _of_manager,
    Model: _of_instance,
    QuerySet: _of_queryset,
    RawQuerySet: _of_queryset,
}
