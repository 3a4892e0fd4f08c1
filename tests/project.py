"""A project of a user's: a folder, a database of its own, and commands that run in it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from tests.settings import SERVER

URI = os.environ.get("TURBO_TEST_DSN") or os.environ.get("DATABASE_URL", "")
# Commands such as django-admin and uvicorn lie beside the Python that runs the tests.
SCRIPTS = Path(sys.executable).parent


@contextlib.contextmanager
def database(name: str) -> Iterator[dict[str, str]]:
    """Create a database for the block; yield what Django's settings call its coordinates."""
    quoted = sql.Identifier(name)
    with psycopg.connect(URI, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
        try:
            yield {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": name,
                "USER": str(SERVER.get("user", "")),
                "PASSWORD": str(SERVER.get("password", "")),
                "HOST": str(SERVER.get("host", "")),
                "PORT": str(SERVER.get("port", "")),
            }
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a user's terminal: nothing of the tests' own settings."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if "PYTEST" not in key and key not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
    }
    return kept | {"PATH": os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])} | more


def run(folder: Path, *command: str, warnings: str = "error", **variables: str) -> str:
    """Run a Python command in a folder; return its standard output.

    Raises:
        AssertionError: it failed; the message is all that it printed.
    """
    done = subprocess.run(
        [sys.executable, "-W", warnings, *command],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
