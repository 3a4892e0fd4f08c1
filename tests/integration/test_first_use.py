"""Without the application installed, the first use puts in place what the bridge needs."""

import json
import subprocess
import sys

from django.db import connections

PROJECT = """
import asyncio, json, sys
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes"], DATABASES={"default": json.loads(sys.argv[1])}
)
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


def test_the_first_use_of_the_bridge_lets_django_find_its_connections():
    settings = {
        name: connections["default"].settings_dict[name]
        for name in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
    }

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROJECT, json.dumps(settings)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1 False", "refused", "1 True", "1 True", "1 False"]
