"""The Django application: add ``"turbo_orm"`` to ``INSTALLED_APPS``."""

from __future__ import annotations

from django.apps import AppConfig


class TurboOrmConfig(AppConfig):
    """Redirects Django's own ``a*`` methods to the bridge and registers the system checks."""

    name = "turbo_orm"
    verbose_name = "Turbo ORM"

    def ready(self) -> None:
        """Apply the redirects, unless settings say otherwise."""
        from . import checks, connection, pool, redirect
        from .conf import get_settings

        pool.check_driver()
        checks.register_all()
        connection.install()
        # A wrong setting is reported by the checks; the redirects stay on meanwhile.
        if checks.settings_errors() or get_settings().REDIRECT_DJANGO:
            redirect.apply()
