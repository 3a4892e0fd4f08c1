"""The Django application: add ``"turbo_orm"`` to ``INSTALLED_APPS``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.conf import settings

from .patches import names


class TurboOrmConfig(AppConfig):
    """Redirects Django's own ``a*`` methods to the bridge and registers the system checks."""

    name = "turbo_orm"
    verbose_name = "Turbo ORM"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        engine = settings.DATABASES.get("default", {}).get("ENGINE", "")
        if engine.startswith("django_async_backend.") and not find_spec("django_async_backend"):
            # Django loads it for the first model that it meets, before any check could be made.
            from .connection.engine import engine_class

            engine_class("default")
        # Before the first model: ours would fail with less to say.
        names.check()

    def ready(self) -> None:
        """Apply the redirects, unless settings say otherwise."""
        from . import checks, pool
        from . import locals as request_locals
        from .conf import get_settings
        from .connection import threads
        from .first_use import prepare
        from .patches import redirect

        pool.check_driver()
        checks.register_all()
        prepare()
        threads.remember_connections()
        fit = names.fit_for_redirects()
        # A wrong setting is reported by the checks; the redirects stay on meanwhile.
        if fit and (checks.settings_errors() or get_settings().REDIRECT_DJANGO):
            redirect.apply()
            if not checks.settings_errors():
                request_locals.install()
