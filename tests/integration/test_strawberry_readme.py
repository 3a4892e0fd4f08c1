"""The example of the README of turbo-orm-strawberry does what it says."""

import json

import pytest
from django.test import override_settings

from tests.ninja.helpers import counted
from tests.readme_strawberry import models
from turbo_orm.test import AsyncClient


@pytest.fixture
async def ask():
    async def ask(query):
        body = json.dumps({"query": query})
        response = await AsyncClient().post("/graphql/", body, content_type="application/json")
        return response.json()

    with override_settings(ROOT_URLCONF=models, ALLOWED_HOSTS=["testserver"]):
        yield ask


async def test_the_example_answers_in_one_statement(ask):
    author = await models.Author.objects.acreate(name="Ada")
    await models.Book.objects.acreate(title="Notes", summary="long", author=author)

    with counted() as statements:
        found = await ask('{ books(author: "ad") { title author { name } } }')

    assert found == {"data": {"books": [{"title": "Notes", "author": {"name": "Ada"}}]}}
    assert len(statements) == 1
    assert not any('"summary"' in statement for statement in statements)


async def test_its_mutations_write(ask):
    author = await models.Author.objects.acreate(name="Ada")

    found = await ask(
        f'mutation {{ createBook(data: {{title: "Notes", author: {{set: {author.pk}}}}})'
        ' { title } rename(old: "Notes", new: "Sketch") { title author { name } } }'
    )

    assert found == {
        "data": {
            "createBook": {"title": "Notes"},
            "rename": {"title": "Sketch", "author": {"name": "Ada"}},
        }
    }
    assert await ask("{ longestTitle }") == {"data": {"longestTitle": "Sketch by Ada"}}
