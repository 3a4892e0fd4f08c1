"""What one row of the table of redirects says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import django
from django.apps import apps

Replacement = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Redirect:
    """One name of Django's that is replaced.

    Args:
        owner: the module or class that holds the name, as a dotted path.
        name: the name.
        replacement: makes the new value from Django's.
        users: functions of the owner, or ``factory:inner`` of one that a function defines, which
            must still refer to the name; else the replacement would silently do nothing.
        since: the first Django version that has it, with its patch number if that matters.
        before: the first that has it no more, None if all do.
        new: whether Django does not have the name, so that it is added.
        app: the application that must be installed for the owner to be importable.
        in_tests: whether only tests import the owner; ``turbo_orm.test`` has it replaced.
    """

    owner: str
    name: str
    replacement: Replacement
    users: tuple[str, ...] = ()
    since: tuple[int, ...] = (4, 2)
    before: tuple[int, ...] | None = None
    new: bool = False
    app: str | None = None
    in_tests: bool = False

    @property
    def path(self) -> str:
        """The name as a dotted path."""
        return f"{self.owner}.{self.name}"

    @property
    def applies(self) -> bool:
        """Whether the Django that is installed has this name, and the project the application."""
        version = django.VERSION[:3]
        if self.app is not None and not apps.is_installed(self.app):
            return False
        return self.since <= version and (self.before is None or version < self.before)
