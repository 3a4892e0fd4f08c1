"""``resolve_*`` methods: static and of instances, functions and coroutine functions."""

from typing import Any

import pytest
from ninja.testing import TestAsyncClient
from pydantic import ValidationError

from ninja import ModelSchema, Schema
from tests.ninja.helpers import counted, fill
from tests.testapp.models import Article
from turbo_orm_ninja import TurboNinjaAPI, reads

pytestmark = pytest.mark.rolled_back


class TagOut(Schema):
    name: str
    articles: int

    @staticmethod
    async def resolve_articles(obj: Any) -> int:
        return await obj.articles.acount()


class Out(ModelSchema):
    heading: str
    others: list[str]
    path: str
    tags: list[TagOut]

    class Meta:
        model = Article
        fields = ["title"]

    @staticmethod
    def resolve_heading(obj: Any) -> str:
        return obj.author.name.upper()

    @staticmethod
    async def resolve_others(obj: Any) -> list[str]:
        return [row.title async for row in Article.objects.exclude(pk=obj.pk)]

    @staticmethod
    async def resolve_path(obj: Any, context: Any) -> str:
        return context["request"].path


class Inherited(Out):
    class Meta(Out.Meta):
        pass


EXPECTED = {
    "title": "title0",
    "heading": "AUTHOR0",
    "others": ["title1"],
    "path": "/it",
    "tags": [{"name": f"tag{n}", "articles": 2} for n in range(3)],
}


async def ask(schema, make):
    api = TurboNinjaAPI()

    @api.get("/it", response=schema)
    async def it(request):
        return await make()

    await fill(0, 2)
    return await TestAsyncClient(api).get("/it")


@pytest.mark.commits
@pytest.mark.parametrize("schema", [Out, Inherited])
async def test_static_ones_may_be_coroutine_functions(schema):
    response = await ask(schema, lambda: Article.objects.aget(pk=1))

    assert response.json() == EXPECTED


async def test_those_of_a_row_are_called_for_every_row():
    api = TurboNinjaAPI()

    @api.get("/it", response=list[Out])
    async def it(request):
        return Article.objects.all()

    await fill(0, 2)
    response = await TestAsyncClient(api).get("/it")

    assert response.json() == [
        EXPECTED,
        {**EXPECTED, "title": "title1", "heading": "AUTHOR1", "others": ["title0"]},
    ]


class OfInstance(Schema):
    title: str
    lower: str
    author_name: str
    label: str

    def resolve_lower(self, obj: Any) -> str:
        return self.title.lower()

    async def resolve_author_name(self, obj: Any, context: Any) -> str:
        author = await Article.objects.select_related("author").aget(pk=obj.pk)
        return f"{author.author.name} {context['request'].method}"

    def resolve_label(self, obj: Any) -> str:
        return self.in_brackets(self.lower)

    def in_brackets(self, text: str) -> str:
        return f"[{text}]"


@pytest.mark.commits
async def test_those_of_an_instance_see_the_fields_of_the_schema():
    response = await ask(OfInstance, lambda: Article.objects.aget(pk=1))

    assert response.json() == {
        "title": "title0",
        "lower": "title0",
        "author_name": "author0 GET",
        "label": "[title0]",
    }


class Declared(Schema):
    names: str

    @staticmethod
    @reads("author.name", "tags.name")
    async def resolve_names(obj: Any) -> str:
        return " ".join([obj.author.name, *(tag.name for tag in obj.tags.all())])


async def test_a_coroutine_function_says_what_it_reads_as_well():
    api = TurboNinjaAPI()

    @api.get("/it", response=list[Declared])
    async def it(request):
        return Article.objects.all()

    await fill(0, 4)
    with counted() as statements:
        response = await TestAsyncClient(api).get("/it")

    assert response.json()[3] == {"names": "author3 tag0 tag1 tag2"}
    assert len(statements) == 2


@pytest.mark.commits
async def test_an_error_in_one_is_told_as_that_of_a_function_is():
    class Failing(Schema):
        title: str

        @staticmethod
        async def resolve_title(obj: Any) -> str:
            return (await Article.objects.aget(pk=99)).title

    with pytest.raises(ValidationError, match="Article matching query does not exist"):
        await ask(Failing, lambda: Article.objects.aget(pk=1))


@pytest.mark.commits
async def test_those_that_ninja_can_call_itself_stay_as_they_are():
    class Plain(Schema):
        name: str

        @staticmethod
        def resolve_name(obj: Any) -> str:
            return "static"

    before = Plain._ninja_resolvers["name"]
    response = await ask(Plain, lambda: Article.objects.aget(pk=1))

    assert response.json() == {"name": "static"}
    assert Plain._ninja_resolvers["name"] is before
