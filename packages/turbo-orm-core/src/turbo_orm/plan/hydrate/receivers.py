"""What runs code when an instance is made: see whether any has come up since."""

from __future__ import annotations

from django.db.models import Model
from django.db.models.signals import post_init, pre_init

from ..guards import guard

# The methods that make an instance of a row.
MAKING = ("__init__", "__new__", "__setattr__", "__getattribute__", "from_db")


def has_receivers(model: type[Model]) -> bool:
    """Return whether making an instance tells anybody."""
    return pre_init.has_listeners(model) or post_init.has_listeners(model)


class Watch:
    """Tells whether classes whose instances were made by no code of their own still are so.

    Args:
        models: the classes.
    """

    __slots__ = ("_intact", "_models", "_newest")

    def __init__(self, models: tuple[type[Model], ...]) -> None:
        self._models = models
        self._newest = _newest()
        self._intact = guard(*((model, MAKING) for model in dict.fromkeys(models)))

    def quiet(self) -> bool:
        """Return whether no class has receivers, nor a method of its own."""
        if not self._intact():
            return False
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
