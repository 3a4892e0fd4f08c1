"""`session_settings(search_path=...)`: the same models, other tables, for each context."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections

from tests.testapp.models import Tag
from turbo_orm import atomic, portal, run_sync, session_settings

SCHEMAS = [f"turbo_schema_{number}" for number in range(4)]

pytestmark = pytest.mark.needs_thread("plain Django, and threads of a request")


def names(alias):
    return [tag.name for tag in Tag.objects.using(alias).order_by("name")]


@pytest.fixture
def expected():
    """Make a table in each schema; return the rows that plain Django finds in each."""
    found = {}
    with connection.cursor() as cursor:
        for number, schema in enumerate(SCHEMAS):
            cursor.execute(
                f"CREATE SCHEMA {schema}; "
                f"CREATE TABLE {schema}.testapp_tag (LIKE public.testapp_tag INCLUDING ALL); "
                f"SET search_path TO {schema}, public"
            )
            Tag.objects.bulk_create([Tag(name=f"{schema} {n}") for n in range(number + 1)])
            found[schema] = names("default")
    connection.close()
    yield found
    with connection.cursor() as cursor:
        cursor.execute("; ".join(f"DROP SCHEMA {schema} CASCADE" for schema in SCHEMAS))


async def planned(alias):
    rows = Tag.objects.using(alias).order_by("name")
    assert await rows.acount() == len(await rows.alist())
    return [tag.name for tag in await rows.alist()]


async def in_bridge(alias):
    return await run_sync(names, alias)


async def in_portal(alias):
    async def work():
        await asyncio.sleep(0)
        return names(alias)

    return await portal(work())


async def streamed(alias):
    rows = Tag.objects.using(alias).order_by("name")
    return [tag.name async for tag in rows.aiterator(chunk_size=1)]


async def in_block(alias):
    async with atomic(alias):
        found = await planned(alias)
        for name in found:
            assert (await Tag.objects.using(alias).aget(name=name)).name == name
        return found


class Undone(Exception):
    pass


async def rolled_back(alias):
    try:
        async with atomic(alias):
            await Tag.objects.using(alias).acreate(name="undone")
            raise Undone
    except Undone:
        return await planned(alias)


async def in_thread(alias):
    def work():
        try:
            return names(alias)
        finally:
            connections[alias].close()

    return await sync_to_async(work)()


async def gathered(alias):
    first, *others = await asyncio.gather(*(planned(alias) for _ in range(3)))
    assert others == [first, first]
    return first


WAYS = [planned, in_bridge, in_portal, streamed, in_block, rolled_back, in_thread, gathered]


@pytest.mark.parametrize("way", WAYS)
async def test_each_context_sees_the_tables_of_its_schema(expected, make_alias, way):
    alias = make_alias(pool={"min_size": 1, "max_size": 2, "timeout": 30})

    async def task(schema):
        if schema is None:
            return await way(alias)
        async with session_settings(search_path=f"{schema}, public"):
            return await way(alias)

    # Between them, somebody who wants the project's own tables.
    schemas = [*SCHEMAS, None] * 4
    found = await asyncio.gather(*(task(schema) for schema in schemas))

    assert found == [expected[schema] if schema else [] for schema in schemas]
