"""One database for all peers: created by Django's own migrations, filled, dropped at the end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .rows import (
    AUTHORS,
    FORTUNES,
    LABELS,
    NAP_SECONDS,
    WORLDS,
    articles,
    author_name,
    label_name,
    labels_of,
    world_number,
)

# What the server keeps for superusers, and ours.
SPARE_CONNECTIONS = 6


def server() -> str:
    """Return the server to use, as libpq writes it."""
    named = os.environ.get("DATABASE_URL")
    if not named:
        raise SystemExit("Set DATABASE_URL to a PostgreSQL server, or run `make bench`.")
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
    from django.db import connections

    from .peers.django_settings import configure

    configure(conninfo, manager="django.db.models.Manager", apps=tuple(apps))
    call_command("migrate", run_syncdb=True, verbosity=0)
    # Backends are counted later: this one would be too many.
    connections.close_all()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        with connection.transaction():
            for table, (columns, rows) in contents().items():
                put(connection, table, columns, rows)
        connection.execute(
            "CREATE VIEW newsdesk_nap AS"
            f" SELECT id, pg_sleep({NAP_SECONDS})::text AS slept FROM generate_series(1, 1) AS id"
        )
        # Without statistics the first rounds would meet other query plans than the last.
        connection.execute("VACUUM ANALYZE")


def contents() -> dict[str, tuple[str, Iterable[tuple[Any, ...]]]]:
    """Return the columns and the rows of each table that is not empty at first."""
    through = ((row.id, label) for row in articles() for label in labels_of(row.id))
    return {
        "author": ("id, name", ((key, author_name(key)) for key in counted(AUTHORS))),
        "label": ("id, name", ((key, label_name(key)) for key in counted(LABELS))),
        "article": ("id, title, is_published, views, created, author_id", articles()),
        "article_labels": ("article_id, label_id", through),
        "world": ("id, randomnumber", ((key, world_number(key)) for key in counted(WORLDS))),
        "fortune": ("id, message", enumerate(FORTUNES, 1)),
    }


def counted(number: int) -> range:
    """Return the keys of so many rows."""
    return range(1, number + 1)


def put(
    connection: psycopg.Connection[Any], table: str, columns: str, rows: Iterable[tuple[Any, ...]]
) -> None:
    """Copy rows into a table."""
    statement = f"COPY newsdesk_{table} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def require_connections(conninfo: str, wanted: int) -> None:
    """Stop with advice when the server allows fewer connections than all pools together need."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SHOW max_connections").fetchone()
    allowed = int(row[0]) if row else 0
    if allowed < wanted + SPARE_CONNECTIONS:
        raise SystemExit(
            f"The server allows {allowed} connections, the pools of all systems need {wanted}: "
            "ask for fewer --systems or a smaller --pool, or raise max_connections."
        )


def describe_server(conninfo: str) -> dict[str, Any]:
    """Return the version and the settings of the server that matter for speed."""
    names = (
        *(
            "server_version",
            "max_connections",
            "shared_buffers",
            "work_mem",
            "effective_cache_size",
        ),
        *(
            "fsync",
            "synchronous_commit",
            "full_page_writes",
            "jit",
            "max_parallel_workers_per_gather",
        ),
    )
    with psycopg.connect(conninfo) as connection:
        values = [connection.execute(f"SHOW {name}").fetchone() for name in names]
    return {name: value[0] if value else None for name, value in zip(names, values, strict=True)}


def parts(conninfo: str) -> dict[str, Any]:
    """Return host, port, user, password and dbname, as far as they are given."""
    return {name: value for name, value in conninfo_to_dict(conninfo).items() if value}
