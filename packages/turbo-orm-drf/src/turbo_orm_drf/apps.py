"""What ``"turbo_orm_drf"`` in ``INSTALLED_APPS`` installs: DRF's own application."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from django.conf import settings
from rest_framework import apps

from . import names
from .mirror import OURS, THEIRS, drfs_name

__all__ = ["RestFrameworkConfig"]


class RestFrameworkConfig(apps.RestFrameworkConfig):
    """Mirrors ``rest_framework.apps.RestFrameworkConfig``.

    The application keeps DRF's name and label: templates, tags and other packages look for those.
    Where ``INSTALLED_APPS`` has ``rest_framework`` as well, this is a second, empty application,
    because two applications cannot have one label.
    """

    name = OURS if THEIRS in settings.INSTALLED_APPS else THEIRS

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        use_drfs_names()

    def ready(self) -> None:
        """Check what is used of DRF, and do what DRF does."""
        names.check()
        super().ready()


def use_drfs_names() -> None:
    """Let the setting ``INSTALLED_APPS`` name DRF's applications as DRF does.

    DRF and other packages look into the setting: ``rest_framework.authtoken`` has no table unless
    it is there by that very name.
    """
    given = list(settings.INSTALLED_APPS)
    named = [entry if entry == OURS and THEIRS in given else drfs_name(entry) for entry in given]
    if named != given:
        settings.INSTALLED_APPS = named


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(apps, name)
