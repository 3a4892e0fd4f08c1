"""Who holds which connection: jobs, blocks, streams, threads and callers; turns and release."""

from __future__ import annotations

from typing import Any

from django.core.signals import setting_changed

from ..connection.engine import forget_wrappers
from ..connection.lessor import use_lessor
from ..connection.recipe import recipe_of
from ..pool import retire_pools, use_recipes
from . import scope


def _forget(*, setting: str, **kwargs: Any) -> None:
    # An application may adapt types on each new connection: contrib.postgres does.
    if setting in {"DATABASES", "INSTALLED_APPS", "TIME_ZONE", "USE_TZ", "TURBO_ORM"}:
        forget_wrappers()
        retire_pools()


use_lessor(scope)
use_recipes(recipe_of)
setting_changed.connect(_forget, dispatch_uid="turbo_orm.connection")
