"""A setting of the session that stands for a tenant, and ways to read it."""

import asyncio

from django.db import connections
from django.db.models import CharField, Value
from django.db.models.expressions import Func

from tests.testapp.models import Author
from turbo_orm import atomic, eager, portal, run_sync, session_settings

TENANT = "SELECT coalesce(current_setting('turbo.tenant', true), '')"
SETTING = Func(
    Value("turbo.tenant"), Value(True), function="current_setting", output_field=CharField()
)


def tenant(alias="default", sql=TENANT):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def tenant_is(value):
    return session_settings(**{"turbo.tenant": value})


async def planned(alias):
    """Return the tenant on the direct way: from the second time on it is a plan's."""
    rows = Author.objects.using(alias).annotate(tenant=SETTING).values_list("tenant", flat=True)
    return (await rows.alist())[0]


async def awaited(alias):
    return await run_sync(tenant, alias)


def execute(alias, sql):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)


async def by_eager(alias):
    rest = eager(tenant, alias)
    return await rest


async def by_portal(alias):
    async def operation():
        return tenant(alias)

    return await portal(operation())


async def in_block(alias):
    async with atomic(alias):
        return await awaited(alias)


async def in_savepoint(alias):
    async with atomic(alias), atomic(alias):
        return await planned(alias)


async def around_block(alias):
    async with atomic(alias):
        assert await awaited(alias) == await awaited(alias)
        return await awaited(alias)


async def in_task(alias):
    return await asyncio.create_task(awaited(alias))


async def streamed(alias):
    rows = Author.objects.using(alias).annotate(tenant=SETTING).values_list("tenant", flat=True)
    (found,) = [found async for found in rows.aiterator()]
    return found


async def streamed_in_block(alias):
    async with atomic(alias):
        return await streamed(alias)


async def by_raw(alias):
    rows = await Author.objects.using(alias).raw(f"SELECT 1 AS id, ({TENANT}) AS found").alist()
    return rows[0].found


def copied(alias):
    with connections[alias].cursor() as cursor, cursor.copy(f"COPY ({TENANT}) TO STDOUT") as copy:
        return b"".join(copy).decode().strip()


async def by_copy(alias):
    return await run_sync(copied, alias)


def many(alias):
    with connections[alias].cursor() as cursor:
        cursor.executemany(f"UPDATE testapp_author SET name = ({TENANT}) WHERE %s > 0", [[1], [2]])
        cursor.execute("SELECT name FROM testapp_author")
        return cursor.fetchone()[0]


async def by_executemany(alias):
    return await run_sync(many, alias)


def with_psycopg(alias):
    connections[alias].ensure_connection()
    return connections[alias].connection.execute(TENANT).fetchone()[0]


async def by_psycopg(alias):
    return await run_sync(with_psycopg, alias)


def stream(alias):
    connections[alias].ensure_connection()
    ((found,),) = connections[alias].connection.cursor().stream(TENANT)
    return found


async def by_stream(alias):
    return await run_sync(stream, alias)


WAYS = [
    *(planned, awaited, by_eager, by_portal, in_block, in_savepoint, around_block, in_task),
    *(streamed, streamed_in_block, by_raw, by_copy, by_executemany, by_psycopg, by_stream),
]
