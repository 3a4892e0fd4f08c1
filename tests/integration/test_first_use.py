"""What the bridge needs is in place before its first use, whatever is installed and turned off."""

import json
import subprocess
import sys

from django.db import connections

PROJECT = """
import asyncio, json, sys
from django.conf import settings

settings.configure(**json.loads(sys.argv[1]))
import django

django.setup()
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from turbo_orm import atomic, await_, close_pools, run_sync


def count():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0], hasattr(connection.connection, "source")


async def main():
    try:
        count()
    except SynchronousOnlyOperation:
        print("refused")
    print(*await run_sync(count))
    async with atomic():
        print(*await run_sync(count))
    await close_pools()


print(*count())
asyncio.run(main())
print(*count())
"""


def run_project(apps, engine="", **settings):
    """Return what the project prints in a process of its own."""
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
    database = {name: connections["default"].settings_dict[name] for name in names}
    database["ENGINE"] = engine or database["ENGINE"]
    settings |= {
        "INSTALLED_APPS": ["django.contrib.contenttypes", *apps],
        "DATABASES": {"default": database},
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROJECT, json.dumps(settings)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


EXPECTED = ["1 False", "refused", "1 True", "1 True", "1 False"]


def test_the_first_use_of_the_bridge_lets_django_find_its_connections():
    assert run_project([]) == EXPECTED


def test_an_engine_that_overrides_guarded_methods_works_with_redirects_off():
    off = {"REDIRECT_DJANGO": False}
    assert run_project(["turbo_orm"], "tests.engines.hooked", TURBO_ORM=off) == EXPECTED
