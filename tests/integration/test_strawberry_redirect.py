"""The table of names that are replaced, and what they do outside the bridge."""

import asyncio
import dataclasses

import pytest
import strawberry_django
from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from strawberry_django import optimizer
from strawberry_django.fields import field as stock_field
from strawberry_django.optimizer import DjangoOptimizerExtension
from strawberry_django.relay import list_connection

import strawberry
from tests.strawberry.common import Article, data, schema
from tests.testapp import models
from turbo_orm import run_sync
from turbo_orm_strawberry import redirect
from turbo_orm_strawberry.redirect import TABLE, Redirect


@strawberry_django.type(models.Tag, name="StockTag")
class Tag:
    name: strawberry.auto


@strawberry.type
class Query:
    tags: list[Tag] = strawberry_django.field()


def test_each_row_names_something_that_is_used():
    redirect.revert()
    try:
        redirect.apply()
        installed = {(row.owner, row.name) for row in TABLE if row.applies}
        assert set(redirect._originals) == installed
    finally:
        redirect.apply()


def test_it_can_be_taken_back_and_put_in_place_again():
    ours = list_connection.in_async_context
    redirect.revert()
    try:
        stock = list_connection.in_async_context
        assert stock is not ours
    finally:
        redirect.apply()
    assert list_connection.in_async_context is not stock


@strawberry.type
class Articles:
    articles: list[Article] = strawberry_django.field()


async def test_the_optimizer_of_an_old_release_reads_selections_with_any_graphql_core(monkeypatch):
    """As strawberry-django 0.82, the last for Django 4.2, with graphql-core 3.3."""
    seen = []

    def made_as_before(info, field_nodes, return_type, parent_type):
        made = original(info, field_nodes, return_type, parent_type)
        seen.append((made, replacement(info, field_nodes, return_type, parent_type)))
        return made

    original = optimizer._generate_selection_resolve_info
    replacement = redirect.with_all_of_the_info(original)
    monkeypatch.setattr(optimizer, "_generate_selection_resolve_info", made_as_before)
    author = await models.Author.objects.acreate(name="Ada")
    await models.Article.objects.acreate(title="t", author=author)
    found = await data(schema(Articles), "{ articles { title author { name } } }")

    assert found == {"articles": [{"title": "t", "author": {"name": "Ada"}}]}
    assert [ours for _, ours in seen] == [theirs for theirs, _ in seen]
    assert {theirs.field_name for theirs, _ in seen} >= {"title", "author"}


GONE = [
    (
        Redirect("strawberry_django.nosuch", "name", lambda old: old),
        "strawberry_django.nosuch is gone",
    ),
    (
        Redirect("strawberry_django.relay.utils:Nosuch", "name", lambda old: old),
        "strawberry_django.relay.utils:Nosuch is gone",
    ),
    (
        Redirect("strawberry_django.relay.utils", "nosuch", lambda old: old),
        "strawberry_django.relay.utils has no nosuch",
    ),
    (
        Redirect(
            "strawberry_django.fields.field",
            "inspect",
            lambda old: old,
            ("StrawberryDjangoField.get_queryset",),
        ),
        "StrawberryDjangoField.get_queryset does not use inspect",
    ),
]


@pytest.mark.parametrize(("row", "complaint"), GONE)
def test_a_name_that_is_gone_is_refused_loudly_and_nothing_is_replaced(row, complaint):
    other = Redirect("strawberry_django.fields.field", "dataclasses", lambda old: None)

    with pytest.raises(ImproperlyConfigured, match=complaint):
        redirect.apply((other, row))

    assert stock_field.dataclasses is dataclasses


def test_a_row_for_a_later_version_is_left_out():
    later = Redirect("strawberry_django.nosuch", "name", lambda old: old, since=(999, 0))

    redirect.apply((later,))


async def test_only_in_the_bridge_there_is_no_asynchronous_context():
    assert list_connection.in_async_context() is True
    assert await run_sync(list_connection.in_async_context) is False
    # A task that is started in the bridge is not in it.
    assert await run_sync(started) is True


def started():
    from turbo_orm import await_

    async def ask():
        return list_connection.in_async_context()

    return await_(asyncio.gather(ask()))[0]


@pytest.mark.needs_thread("stock strawberry-django's asynchronous execution")
async def test_a_schema_without_the_extension_still_uses_threads(at_rest):
    await models.Tag.objects.acreate(name="it")
    built = strawberry.Schema(Query, extensions=[DjangoOptimizerExtension])

    found = await data(built, "{ tags { name } }")
    await sync_to_async(connections.close_all)()

    assert found == {"tags": [{"name": "it"}]}


@pytest.mark.rolled_back
async def test_a_schema_without_the_extension_needs_none_in_the_bridge():
    from turbo_orm import portal

    await models.Tag.objects.acreate(name="it")
    built = strawberry.Schema(Query, extensions=[DjangoOptimizerExtension])

    assert await portal(data(built, "{ tags { name } }")) == {"tags": [{"name": "it"}]}
