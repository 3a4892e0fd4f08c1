"""The manager that gives querysets which can be awaited."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from django.db.models import Manager, QuerySet

from .awaited import awaited
from .queryset import AsyncQuerySet

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._typing import TypedManager
    from .queryset import M_co
else:
    TypedManager, M_co = Manager.from_queryset(AsyncQuerySet, "AsyncManagerBase"), Any


class AsyncManager(TypedManager[M_co]):
    """A manager of which every ``a*`` method waits on the event loop, in no thread.

    Mirrors ``django.db.models.Manager``, of which it is a subclass, so the admin, forms and
    management commands go on using it synchronously. Beyond Django's it has ``alist()`` and
    ``adelete()`` for all rows, and ``araw()``.
    """

    # Migrations name the class by this path.
    __module__ = "turbo_orm.models"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Django builds the manager of a relation as a subclass of the related model's default
        # manager, and defines acreate(), aadd() and so on anew in it: take those over as well.
        for name, method in list(vars(cls).items()):
            if name.startswith("a") and iscoroutinefunction(method) and _is_djangos(method):
                setattr(cls, name, awaited(name, method))

    @classmethod
    def from_queryset(
        cls, queryset_class: type[QuerySet[M_co]], class_name: str | None = None
    ) -> type[Self]:
        """Return a manager class with the methods of a custom queryset class.

        Args:
            queryset_class: a subclass of ``AsyncQuerySet``.
            class_name: what to call the new class.

        Raises:
            TypeError: the queryset class is a plain Django one.

        Mirrors ``Manager.from_queryset``.
        """
        if not issubclass(queryset_class, AsyncQuerySet):
            raise TypeError(
                f"{cls.__name__}.from_queryset({queryset_class.__name__}): make "
                f"{queryset_class.__name__} a subclass of turbo_orm.AsyncQuerySet first."
            )
        return super().from_queryset(queryset_class, class_name)


def _is_djangos(method: Any) -> bool:
    return str(method.__module__).startswith("django.")


def _as_manager(cls: type[QuerySet[Any]]) -> Any:
    manager: Any = AsyncManager.from_queryset(cls)()
    manager._built_with_as_manager = True
    return manager


_as_manager.queryset_only = True  # type: ignore[attr-defined]
AsyncQuerySet.as_manager = classmethod(_as_manager)  # type: ignore[assignment,method-assign]
