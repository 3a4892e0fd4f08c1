"""Receivers of ``pre_init`` and ``post_init``: see whether any have come up."""

from __future__ import annotations

from django.db.models import Model
from django.db.models.signals import post_init, pre_init


def has_receivers(model: type[Model]) -> bool:
    """Return whether making an instance tells anybody."""
    return pre_init.has_listeners(model) or post_init.has_listeners(model)


class Watch:
    """Tells cheaply whether classes that had no receivers still have none.

    Args:
        models: the classes.
    """

    __slots__ = ("_models", "_newest")

    def __init__(self, models: tuple[type[Model], ...]) -> None:
        self._models = models
        self._newest = _newest()

    def quiet(self) -> bool:
        """Return whether no class has receivers."""
        # Django appends: as long as the last receiver is the same one, none has been added.
        before = self._newest
        newest = _newest()
        if newest[0] is before[0] and newest[1] is before[1]:
            return True
        if any(map(has_receivers, self._models)):
            return False
        self._newest = newest
        return True


def _newest() -> tuple[object, object]:
    before, after = pre_init.receivers, post_init.receivers
    return (before[-1] if before else None, after[-1] if after else None)
