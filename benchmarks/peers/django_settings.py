"""Django, set up for the tables of the benchmark: shared by all peers that are built on it."""

from __future__ import annotations

from typing import Any

from psycopg.conninfo import conninfo_to_dict

# Other drivers prepare statements by themselves; Django and psycopg document these options for it.
FASTEST: dict[str, Any] = {"server_side_binding": True, "prepare_threshold": 5}


def configure(
    conninfo: str,
    *,
    manager: str,
    engine: str = "django.db.backends.postgresql",
    pool: dict[str, int] | None = None,
    apps: tuple[str, ...] = (),
    **settings: Any,
) -> None:
    """Configure Django and load its models.

    Args:
        conninfo: the database, as libpq writes it.
        manager: the class of the models' managers, by its dotted name.
        engine: Django's database backend.
        pool: the value of Django's own `OPTIONS["pool"]`.
        apps: what the peer itself needs in INSTALLED_APPS.
        **settings: further settings.
    """
    import django
    from django.conf import settings as django_settings

    where = conninfo_to_dict(conninfo)
    database = {
        "ENGINE": engine,
        "NAME": where.get("dbname", "postgres"),
        "USER": where.get("user", ""),
        "PASSWORD": where.get("password", ""),
        "HOST": where.get("host", ""),
        "PORT": str(where.get("port", "")),
        "OPTIONS": FASTEST if pool is None else {**FASTEST, "pool": pool},
    }
    django_settings.configure(
        BENCHMARK_MANAGER=manager,
        DATABASES={"default": database},
        DEBUG=False,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[*apps, "benchmarks.newsdesk"],
        SECRET_KEY="only for benchmarks",
        USE_TZ=True,
        **settings,
    )
    django.setup()


def fixed_pool(size: int) -> dict[str, int]:
    """Return the options of a pool that never grows nor shrinks."""
    return {"min_size": size, "max_size": size, "timeout": 30}
