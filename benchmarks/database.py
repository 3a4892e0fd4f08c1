"""One database for all peers: created by Django's own migrations, filled, dropped at the end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .cases import ARTICLES, AUTHORS, articles, author_name

# What the server keeps for superusers, and one connection of ours.
SPARE_CONNECTIONS = 5


def server() -> str:
    """Return the server to use, as libpq writes it."""
    named = os.environ.get("DATABASE_URL")
    if not named:
        raise SystemExit("Set DATABASE_URL to a PostgreSQL server, or run `make bench-plans`.")
    return named


@contextlib.contextmanager
def temporary_database(apps: Sequence[str] = ()) -> Iterator[str]:
    """Yield the address of a new, filled database, and drop it afterwards.

    The tables of these applications are made too; Django is set up with it from then on.
    """
    name = f"turbo_bench_{os.getpid()}"
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            conninfo = make_conninfo(server(), dbname=name)
            fill(conninfo, apps)
            yield conninfo
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def fill(conninfo: str, apps: Sequence[str]) -> None:
    """Create the tables as Django would, and put the rows in."""
    from django.core.management import call_command

    from .peers.django_settings import configure

    configure(conninfo, manager="django.db.models.Manager", apps=tuple(apps))
    call_command("migrate", run_syncdb=True, verbosity=0)
    with psycopg.connect(conninfo, autocommit=True) as connection, connection.cursor() as cursor:
        columns = "(id, title, is_published, views, created, author_id)"
        with connection.transaction():
            with cursor.copy("COPY newsdesk_author (id, name) FROM STDIN") as copy:
                for key in range(1, AUTHORS + 1):
                    copy.write_row((key, author_name(key)))
            with cursor.copy(f"COPY newsdesk_article {columns} FROM STDIN") as copy:
                for row in articles():
                    copy.write_row(row)
        # Without statistics the first rounds would meet other query plans than the last.
        cursor.execute("VACUUM ANALYZE newsdesk_author, newsdesk_article")
        found = cursor.execute("SELECT count(*) FROM newsdesk_article").fetchone()
        assert found == (ARTICLES,)


def require_connections(conninfo: str, wanted: int) -> None:
    """Stop with advice when the server allows fewer connections than all pools together need."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SHOW max_connections").fetchone()
    allowed = int(row[0]) if row else 0
    if allowed < wanted + SPARE_CONNECTIONS:
        raise SystemExit(
            f"The server allows {allowed} connections, the pools of all systems need {wanted}: "
            "ask for fewer --tasks or --systems, or raise max_connections."
        )


def describe_server(conninfo: str) -> dict[str, Any]:
    """Return the version and the settings of the server that matter for speed."""
    names = ("server_version", "max_connections", "shared_buffers", "fsync", "jit")
    with psycopg.connect(conninfo) as connection:
        values = [connection.execute(f"SHOW {name}").fetchone() for name in names]
    return {name: value[0] if value else None for name, value in zip(names, values, strict=True)}


def parts(conninfo: str) -> dict[str, Any]:
    """Return host, port, user, password and dbname, as far as they are given."""
    return {name: value for name, value in conninfo_to_dict(conninfo).items() if value}
