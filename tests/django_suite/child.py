"""The process that runs Django's `runtests.py` in one mode."""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

import django

from .source import tests_of_django

set_up = django.setup


def prepare() -> None:
    """Set Django up, and adapt it before the suite's own models are imported."""
    django.setup = set_up  # handlers call it again
    set_up()
    spare_missing_extensions()
    spare_missing_collations()
    mode = os.environ["TURBO_SUITE_MODE"]
    if mode != "sync":
        from turbo_orm.patches import redirect

        redirect.apply()
    if mode == "native":
        from .native import use_our_classes

        use_our_classes()
    if mode == "serving":
        from .serving import use_our_handlers

        use_our_handlers()


def spare_missing_extensions() -> None:
    """Let migrations pass over extensions that the server does not have.

    An embedded PostgreSQL is built without OpenSSL and the UUID library, hence without two that
    Django's tests create but, since PostgreSQL 13 makes UUIDs by itself, hardly need.
    """
    from django.contrib.postgres.operations import CreateExtension
    from django.db import connection

    wanted = {"pgcrypto", "uuid-ossp"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_available_extensions")
        missing = wanted - {name for (name,) in cursor.fetchall()}
    connection.close()
    create = CreateExtension.database_forwards

    def create_if_available(self: Any, *args: Any) -> None:
        if self.name not in missing:
            create(self, *args)

    CreateExtension.database_forwards = create_if_available  # type: ignore[method-assign]


def spare_missing_collations() -> None:
    """Use a collation that every server has where it is built without ICU."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_collation WHERE collname = 'sv-x-icu'")
        has_icu = cursor.fetchone() is not None
    if not has_icu:
        wanted = connection.features.test_collations
        plain = {name: "C" for name in ("non_default", "virtual") if name in wanted}
        type(connection.features).test_collations = plain  # type: ignore[misc]
    connection.close()


def main() -> None:
    """Run the applications named on the command line."""
    folder = tests_of_django()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    django.setup = prepare
    options = ["--settings=tests.django_suite.settings", "--parallel=1", "--noinput"]
    sys.argv = ["runtests.py", *options, *sys.argv[1:]]
    runpy.run_path("runtests.py", run_name="__main__")


if __name__ == "__main__":
    main()
