"""What must stand in Django for the bridge to be used at all, whatever the settings say."""

from __future__ import annotations

from . import connections, guard, names


def install() -> None:
    """Check the private names and put everything in place; safe to call again.

    Raises:
        ImproperlyConfigured: this Django, asgiref or psycopg lacks something that cannot be done
            without.
    """
    names.check()
    guard.install()
    connections.install()
