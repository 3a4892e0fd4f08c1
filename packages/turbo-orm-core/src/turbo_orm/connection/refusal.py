"""The message of ``SynchronousOnlyOperation``: what was touched, and what to write instead.

The stack says what the caller touched. Only what exists on those very objects is recommended: a
plain model has no ``afetch()``, an older Django no ``aget_object_or_404()``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic

# Modules whose frames lie between the caller and the database.
INSIDE = ("django", "turbo_orm", "contextlib", "functools")

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
OF_TRANSACTIONS = {
    *("commit", "rollback", "set_autocommit"),
    *("savepoint", "savepoint_commit", "savepoint_rollback"),
}


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


def refusal(alias: str) -> str:
    """Return the message for code that uses a database synchronously on the event loop.

    Args:
        alias: the database alias.
    """
    try:
        use = _find_use(sys._getframe(1))
    except Exception:  # objects of others may do anything; the refusal itself must come
        use = None
    what, remedies, _ = use or Use("A database was used")
    last = "run the synchronous code with `await run_sync(function)`"
    advice = f"Write {' or '.join(remedies)}, or {last}" if remedies else last.capitalize()
    return (
        f"{what} on the event loop, where synchronous code cannot wait for database {alias!r}. "
        f"{advice}."
    )


def _find_use(frame: FrameType | None) -> Use | None:
    """Return the outermost use inside the Django code that the nearest other code called."""
    found: Use | None = None
    at: FrameType | None = None
    called: FrameType | None = None
    while frame is not None:
        if _is_inside(frame):
            use = _use_of(frame)
            if use is not None:
                found, at = use, frame
        elif found is not None and (at is called or not found.of_connection):
            break
        # Else code of others runs Django's compiler or iterators, as django-polymorphic does.
        called, frame = frame, frame.f_back
    return found


def _is_inside(frame: FrameType) -> bool:
    # Generated functions have no module.
    return str(frame.f_globals.get("__name__", "django")).partition(".")[0] in INSIDE


def _use_of(frame: FrameType) -> Use | None:
    from django.db.models import Model, QuerySet
    from django.db.models.manager import BaseManager
    from django.db.models.query import RawQuerySet

    code, variables = frame.f_code, frame.f_locals
    name = code.co_name
    if _is_function(frame.f_globals.get(name), code):
        return _of_function(frame.f_globals, name)
    owner: Any = variables[code.co_varnames[0]] if code.co_argcount else None
    # Not isinstance(): a lazy object, such as `request.user`, would be evaluated by that.
    kind = type(owner)
    if name == "__get__" and issubclass(type(variables.get("instance")), Model):
        return _of_attribute(owner, variables["instance"])
    if issubclass(kind, Atomic):
        return _of_block(owner, frame.f_back)
    if name == "guarded":
        name = variables["function"].__name__
    if name == "manager_method":
        name = variables["name"]
    if name == "_get_next_or_previous_by_FIELD":
        name = f"get_{'next' if variables['is_next'] else 'previous'}_by_{variables['field'].name}"
    if issubclass(kind, BaseDatabaseWrapper):
        return _of_connection(owner, name)
    if issubclass(kind, (QuerySet, RawQuerySet)) and name in EVALUATIONS:
        return _of_evaluation(owner, name)
    if (name.startswith("_") and name not in OPERATORS) or not hasattr(kind, name):
        return None
    if issubclass(kind, Model):
        return _of_method(kind.__name__, _variable(owner), owner, name)
    if issubclass(kind, (QuerySet, RawQuerySet)):
        model: Any = owner.model
        return _of_method(f"QuerySet of {model.__name__}", "queryset", owner, name)
    if issubclass(kind, BaseManager):
        shown = _manager_name(owner)
        return _of_method(shown, shown, owner, name)
    return _of_other(owner, name)


def _is_function(function: Any, code: CodeType) -> bool:
    if not inspect.isfunction(function):
        return False
    return getattr(inspect.unwrap(function), "__code__", None) is code


def _of_function(module: dict[str, Any], name: str) -> Use | None:
    if (module["__name__"], name) == ("django.contrib.auth.middleware", "get_user"):
        return Use("request.user was read", ("`await request.auser()`",) * ("auser" in module))
    if name.startswith("_") or not inspect.iscoroutinefunction(module.get(f"a{name}")):
        return None
    return Use(f"{name}() was called", (f"`await a{name}(...)`",))


def _of_attribute(descriptor: Any, instance: Any) -> Use | None:
    kind = type(instance)
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
    from django.db.models.fields import related_descriptors as related

    to_one = (related.ForwardManyToOneDescriptor, related.ReverseOneToOneDescriptor)
    return "select_related" if isinstance(descriptor, to_one) else "prefetch_related"


def _of_block(block: Any, caller: FrameType | None) -> Use:
    awaitable = hasattr(type(block), "__aenter__")
    # contextlib calls what a block decorates.
    function = caller.f_locals.get("func") if caller is not None else None
    if function is not None and caller is not None and caller.f_code.co_name == "inner":
        name = function.__qualname__
        return Use(
            f"{name}(), which `atomic` decorates, was called",
            (f"`async def` before {name} and await it",) * awaitable,
        )
    return Use("`with atomic():` was entered", ("`async with atomic():`",) * awaitable)


def _of_connection(wrapper: Any, name: str) -> Use | None:
    if name.startswith("_"):
        return None
    remedies = ("`async with atomic():`",) if name in OF_TRANSACTIONS else ()
    called = "() was called" if callable(getattr(type(wrapper), name, None)) else " was read"
    return Use(f"connections[{wrapper.alias!r}].{name}{called}", remedies, of_connection=True)


def _of_evaluation(queryset: Any, name: str) -> Use:
    kind = type(queryset)
    shorter = SHORTER.get(name, "")
    remedies = [f"`await queryset.{shorter}()`"] if hasattr(kind, shorter) else []
    remedies += ["`await queryset.alist()`"] * hasattr(kind, "alist")
    remedies += ["`async for`"] * hasattr(kind, "__aiter__")
    what = f"A queryset of {queryset.model.__name__} was {EVALUATIONS[name]}"
    return Use(what, tuple(remedies))


def _of_method(shown: str, variable: str, owner: Any, name: str) -> Use:
    awaitable = hasattr(type(owner), f"a{name}")
    return Use(f"{shown}.{name}() was called", (f"`await {variable}.a{name}(...)`",) * awaitable)


def _of_other(owner: Any, name: str) -> Use | None:
    """Describe a method of anything else of Django's that has an awaitable form: a session's."""
    called = OPERATORS.get(name, name)
    if not inspect.iscoroutinefunction(getattr(type(owner), f"a{called}", None)):
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
