"""Ask the APIs of both kinds, in one process: ``python -m tests.works_with.extra out.json``."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import django
import pytest

# Requests at once, in the end.
MANY = 30


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.works_with.extra.settings"
    django.setup()
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases

    from ..__main__ import drop

    setup_databases(verbosity=0, interactive=False)
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())
    logging.getLogger("turbo_orm_ninja").addHandler(handler)
    try:
        found = {"stock": of_stock(), **asyncio.run(of_ours()), "told": told}
    finally:
        connections.close_all()
        drop(settings.DATABASES["default"]["TEST"]["NAME"])
    Path(sys.argv[1]).write_text(json.dumps(found))


def begin():
    """Make the rows anew, with the same keys."""
    from django.core.cache import cache
    from django.db import connection

    from tests.ninja.common import fill

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE testapp_article, testapp_author, testapp_tag RESTART IDENTITY CASCADE"
        )
    cache.clear()
    fill()


def summary(response, statements):
    return {
        "status": response.status_code,
        "body": response.content.decode(),
        "count": response.headers.get("X-Count"),
        "statements": len(statements),
    }


def of_stock():
    from ninja.testing import TestClient

    from tests.ninja.helpers import counted

    from .common import CASES
    from .stock import api

    begin()
    client, found = TestClient(api), {}
    for name, (method, path, options) in CASES.items():
        with counted() as statements:
            response = getattr(client, method)(path, **options)
        found[name] = summary(response, statements)
    return {"answers": found, "rows": rows()}


async def of_ours():
    from tests.ninja.helpers import counted
    from tests.threads import refuse_threads
    from turbo_orm import close_pools, pool_stats, run_sync
    from turbo_orm_ninja.test import TestAsyncClient

    from .common import CASES
    from .ours import api

    await run_sync(begin)
    client, found = TestAsyncClient(api), {}
    with pytest.MonkeyPatch.context() as patched:
        refuse_threads(patched)
        for name, (method, path, options) in CASES.items():
            with counted() as statements:
                response = await getattr(client, method)(path, **options)
            found[name] = summary(response, statements)
        left = await run_sync(rows)
        await run_sync(begin)
        many = await asyncio.gather(*(client.get("/articles/pages") for _ in range(MANY)))
    stats = pool_stats("default")
    await close_pools()
    return {
        "ours": {"answers": found, "rows": left},
        "many": sorted({(answer.status_code, answer.content.decode()) for answer in many}),
        "lent": stats.size - stats.idle,
    }


def rows():
    from tests.testapp.models import Article, Tag

    articles = sorted(Article.objects.values_list("title", "author__name"))
    return [articles, sorted(Tag.objects.values_list("name"))]


main()
