"""Model methods, awaited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

from django.db.models import Model, prefetch_related_objects
from django.db.models.constants import LOOKUP_SEP
from django.db.models.manager import BaseManager
from django.db.models.signals import class_prepared

from ..bridge import run_sync
from .awaited import awaited, with_awaited


@with_awaited(("asave", "adelete", "arefresh_from_db"), like=Model)
class AsyncModelMixin:
    """Adds awaitable methods to a model: put it before ``models.Model``.

    ``asave``, ``adelete`` and ``arefresh_from_db`` have Django's signatures; an overridden
    ``save()`` is honoured. Fields with dates get ``aget_next_by_FOO`` and ``aget_previous_by_FOO``.
    """

    # Migrations name the class by this path.
    __module__ = "turbo_orm.models"

    async def afull_clean(
        self,
        exclude: Iterable[str] | None = None,
        validate_unique: bool = True,
        validate_constraints: bool = True,
    ) -> None:
        """Validate the instance, queries for uniqueness included.

        Args:
            exclude: names of fields to leave out.
            validate_unique: whether to query for unique fields.
            validate_constraints: whether to query for constraints.

        Raises:
            ValidationError: the instance is not valid.

        Mirrors ``Model.full_clean``.
        """
        this: Any = self
        await run_sync(this.full_clean, exclude, validate_unique, validate_constraints)

    @overload
    async def afetch(self, name: str, /) -> Any: ...
    @overload
    async def afetch(self, name: str, another: str, /, *names: str) -> tuple[Any, ...]: ...
    async def afetch(self, *names: str) -> Any:
        """Load relations or deferred fields of this instance, and return them.

        Args:
            *names: attribute names; ``author__publisher`` follows relations.

        Returns:
            The value if one name is given, else a tuple. A relation to many gives a list and is
            prefetched; a relation to one gives the instance or None.

        Raises:
            AttributeError: there is no such attribute.
            DatabaseError: the database refused a query.

        The awaitable form of touching a lazily loaded attribute such as ``article.author``.
        """
        if not names:
            raise TypeError("afetch() takes at least one attribute name, as in afetch('author')")
        values = await run_sync(lambda: tuple(_fetch(self, name) for name in names))
        return values[0] if len(names) == 1 else values


def _fetch(instance: Any, path: str) -> Any:
    value = instance
    names = path.split(LOOKUP_SEP)
    for position, name in enumerate(names):
        if value is None:
            return None
        found = getattr(value, name)
        if isinstance(found, BaseManager):
            prefetch_related_objects([value], LOOKUP_SEP.join(names[position:]))
            return list(getattr(value, name).all())
        value = found
    return value


class AsyncModel(AsyncModelMixin, Model):
    """An abstract model with awaitable methods; mirrors ``django.db.models.Model``."""

    __module__ = "turbo_orm.models"

    class Meta:
        abstract = True


def _add_neighbours(sender: type[Model], **kwargs: Any) -> None:
    """Add the awaitable forms of ``get_next_by_FOO`` and ``get_previous_by_FOO``."""
    if not issubclass(sender, AsyncModelMixin):
        return
    for name in ("asave", "adelete", "arefresh_from_db"):
        # Behind models.Model, as users of the seed package wrote it, the mixin comes too late.
        if getattr(sender, name) is getattr(Model, name):
            setattr(sender, name, vars(AsyncModelMixin)[name])
    for field in sender._meta.fields:
        for which in ("next", "previous"):
            name = f"get_{which}_by_{field.name}"
            if hasattr(sender, name) and f"a{name}" not in vars(sender):
                setattr(sender, f"a{name}", awaited(f"a{name}"))


class_prepared.connect(_add_neighbours, dispatch_uid="turbo_orm.query.model")
