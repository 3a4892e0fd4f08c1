"""Random schemas and operations: the answer is stock Ninja's, with no more queries, on the loop.

``TURBO_TEST_THOROUGH=1`` tries 500 of them.
"""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Annotated, Any

import ninja.pagination as stock_pagination
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Count, Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ninja.testing import TestAsyncClient, TestClient
from pydantic import BeforeValidator, ValidationError, create_model

from ninja import Field, NinjaAPI, Schema
from tests.drf.rows import fill
from tests.invariant import assert_at_rest
from tests.ninja.helpers import counted
from tests.testapp.models import Article, Author, Comment, Plain, Profile, Tag
from tests.thorough import cases
from turbo_orm import close_pools
from turbo_orm_ninja import TurboNinjaAPI, pagination, reads

DEPTH = 3
ONE, MAYBE, MANY = "one", "maybe", "many"
SCALARS: dict[type[Model], dict[str, Any]] = {
    Article: {"id": int, "title": str, "views": int, "is_published": bool, "metadata": Any},
    Author: {"id": int, "name": str, "age": int},
    Tag: {"id": int, "name": str},
    Profile: {"id": int, "bio": str, "author_id": int},
    Comment: {"id": int, "text": str, "object_id": int},
}
RELATIONS: dict[type[Model], dict[str, tuple[type[Model], str]]] = {
    Article: {
        "author": (Author, ONE),
        "editor": (Author, MAYBE),
        "tags": (Tag, MANY),
        "comments": (Comment, MANY),
    },
    Author: {"profile": (Profile, MAYBE), "articles": (Article, MANY), "edited": (Article, MANY)},
    Tag: {"articles": (Article, MANY)},
    Profile: {"author": (Author, ONE)},
    Comment: {},
}
# Attributes under other names, some of them of related objects.
ALIASES: dict[type[Model], dict[str, Any]] = {
    Article: {
        "heading": (str, Field(alias="title")),
        "author_name": (str, Field(alias="author.name")),
        "author_bio": (str, Field("", alias="author.profile.bio")),
        "editor_name": (str | None, Field(None, alias="editor.name")),
        "editor_key": (int | None, Field(alias="editor_id")),
        "author_key": (int, Field(alias="author_id")),
    },
    Author: {"years": (int, Field(alias="age")), "bio": (str, Field("", alias="profile.bio"))},
    Tag: {"label": (str, Field(alias="name"))},
    Profile: {"writer": (str, Field(alias="author.name"))},
    Comment: {"words": (str, Field(alias="text"))},
}
# Methods: what they give, how, and what they may truthfully say that they read.
RESOLVERS: dict[type[Model], dict[str, tuple[Any, Callable[[Any], Any], tuple[str, ...]]]] = {
    Article: {
        "tag_names": (list[str], lambda it: sorted(t.name for t in it.tags.all()), ("tags.name",)),
        "tag_count": (int, lambda it: it.tags.count(), ("tags",)),
        "writer": (str, lambda it: it.author.name, ("author.name",)),
        "shout": (str, lambda it: f"{it.title}! {it.views}", ("title", "views")),
        "replies": (int, lambda it: len(it.comments.all()), ("comments",)),
    },
    Author: {
        "titles": (list[str], lambda it: [a.title for a in it.articles.all()], ("articles.title",)),
        "article_count": (int, lambda it: it.articles.count(), ("articles",)),
        "upper": (str, lambda it: it.name.upper(), ("name",)),
    },
    Tag: {"upper": (str, lambda it: it.name.upper(), ("name",))},
    Profile: {"owner": (str, lambda it: it.author.name, ("author.name",))},
    Comment: {"upper": (str, lambda it: it.text.upper(), ("text",))},
}
QUERYSETS: dict[type[Model], dict[str, Callable[[Any], Any]]] = {
    Article: {
        "all": lambda rows: rows,
        "filtered": lambda rows: rows.filter(views__gte=10, author__age__gte=1),
        "ordered": lambda rows: rows.order_by("-title"),
        "joined": lambda rows: rows.select_related("author", "editor"),
        "prefetched": lambda rows: rows.prefetch_related("tags"),
        "only": lambda rows: rows.only("title"),
        "deferred": lambda rows: rows.defer("metadata", "views"),
        "annotated": lambda rows: rows.annotate(number=Count("tags")).order_by("pk"),
        "sliced": lambda rows: rows[1:4],
        "distinct": lambda rows: rows.distinct(),
        "none": lambda rows: rows.none(),
    },
    Author: {
        "all": lambda rows: rows.order_by("pk"),
        "filtered": lambda rows: rows.filter(articles__is_published=True).order_by("pk"),
        "prefetched": lambda rows: rows.prefetch_related("articles__tags").order_by("pk"),
        "only": lambda rows: rows.only("age").order_by("pk"),
        "sliced": lambda rows: rows.order_by("-pk")[:3],
    },
    Tag: {"all": lambda rows: rows.order_by("pk"), "sliced": lambda rows: rows.order_by("pk")[:2]},
}
# Slices of slices are Django's errors, and cursors order what they are given.
PAGES = {
    "limit": ("LimitOffsetPagination", {}, "?limit=2&offset=1"),
    "number": ("PageNumberPagination", {"page_size": 2}, "?page=2"),
    "cursor": ("CursorPagination", {"ordering": ("pk",), "page_size": 3}, ""),
}
SHAPES = ("queryset", "list", "evaluated", "first", "dictionary", *PAGES)


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A schema as it was drawn, from which classes are made: each API has its own."""

    model: type[Model]
    scalars: frozenset[str]
    aliases: frozenset[str]
    # Resolvers, and whether they say what they read.
    resolvers: tuple[tuple[str, bool], ...]
    # Relations, whether a validator looks at the object, and the schema of what is related.
    relations: tuple[tuple[str, bool, "Drawn"], ...]

    def schema(self) -> type[Schema]:
        """Make the class."""
        methods, fields = {}, {}
        for name in sorted(self.scalars):
            fields[name] = (SCALARS[self.model][name], ...)
        for name in sorted(self.aliases):
            fields[name] = ALIASES[self.model][name]
        for name, says in self.resolvers:
            kind, function, paths = RESOLVERS[self.model][name]
            methods[f"resolve_{name}"] = staticmethod(method(function, paths if says else None))
            fields[name] = (kind, ...)
        for name, looks, drawn in self.relations:
            nested: Any = drawn.schema()
            how = RELATIONS[self.model][name][1]
            kind = {ONE: nested, MAYBE: nested | None, MANY: list[nested]}[how]
            kind = Annotated[kind, BeforeValidator(lambda value: value)] if looks else kind
            fields[name] = (kind, None if how == MAYBE else ...)
        base = type("Base", (Schema,), {"__module__": __name__, **methods})
        return create_model(f"{self.model.__name__}Out", __base__=base, **fields)


def method(function: Callable[[Any], Any], paths: tuple[str, ...] | None) -> Callable[[Any], Any]:
    def resolve(obj):
        return function(obj)

    return resolve if paths is None else reads(*paths)(resolve)


@st.composite
def drawn(draw: Any, model: type[Model], depth: int = DEPTH) -> Drawn:
    some = lambda names, most: st.frozensets(st.sampled_from(sorted(names)), max_size=most)  # noqa: E731
    relations = draw(some(RELATIONS[model], 2)) if depth > 1 and RELATIONS[model] else ()
    return Drawn(
        model,
        draw(some(SCALARS[model], 3)) | {"id"},
        draw(some(ALIASES[model], 2)),
        tuple((name, draw(st.booleans())) for name in sorted(draw(some(RESOLVERS[model], 1)))),
        tuple(
            (name, draw(st.sampled_from([False, False, True])), draw(drawn(target, depth - 1)))
            for name in sorted(relations)
            for target in [RELATIONS[model][name][0]]
        ),
    )


@st.composite
def operations(draw: Any) -> tuple[Drawn, str, str]:
    model = draw(st.sampled_from([Article, Article, Author, Tag]))
    shape = draw(st.sampled_from(SHAPES))
    names = sorted(QUERYSETS[model])
    if shape in PAGES:
        names.remove("sliced")
    return draw(drawn(model)), draw(st.sampled_from(names)), shape


def add(api: Any, operation: tuple[Drawn, str, str], paginators: Any, *, awaited: bool) -> str:
    """Add an operation to an API, and return its address."""
    found, name, shape = operation
    schema: Any = found.schema()
    response = {
        "first": schema | None,
        "dictionary": create_model("Page", __base__=Schema, rows=(list[schema], ...), n=(int, 0)),
    }.get(shape, list[schema])

    def body() -> Any:
        rows = QUERYSETS[found.model][name](found.model.objects.all())
        if shape == "list":
            return list(rows)
        if shape == "evaluated":
            len(rows)
        if shape == "first":
            return next(iter(rows[:1] if name != "sliced" else rows), None)
        return {"rows": rows, "n": 3} if shape == "dictionary" else rows

    if awaited:

        async def view(request):
            return body()
    else:

        def view(request):
            return body()

    query = ""
    if shape in PAGES:
        kind, options, query = PAGES[shape]
        view = paginators.paginate(getattr(paginators, kind), **options)(view)
    api.get("/it", response=response)(view)
    return f"/it{query}"


def outcome(error: Exception) -> Any:
    if isinstance(error, ValidationError):
        return [(line["type"], line["loc"]) for line in error.errors()]
    return type(error), str(error)


@pytest.fixture
def loop():
    """One loop for all examples: each pool would have to be opened anew."""
    made = asyncio.new_event_loop()
    yield made
    made.run_until_complete(assert_at_rest("default"))
    made.run_until_complete(close_pools())
    made.close()


def of_stock(operation: Any) -> Any:
    api = NinjaAPI()
    path = add(api, operation, stock_pagination, awaited=False)
    with counted() as statements:
        try:
            response = TestClient(api).get(path)
        except Exception as error:
            return outcome(error), None
    return (response.status_code, response.content), len(statements)


async def of_ours(operation: Any) -> Any:
    api = TurboNinjaAPI()
    path = add(api, operation, pagination, awaited=True)
    with counted() as statements:
        try:
            response = await TestAsyncClient(api).get(path)
        except Exception as error:
            return outcome(error), None
    return (response.status_code, response.content), len(statements)


@pytest.fixture
def rows():
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE testapp_article, testapp_author, testapp_tag RESTART IDENTITY CASCADE"
        )
    ContentType.objects.get_for_models(Article, Plain)
    fill()
    connection.close()


@pytest.mark.timeout(1200)
def test_random_operations_answer_as_stock_ninja_with_no_more_queries(rows, loop):
    @settings(
        max_examples=cases(25, 500),
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(operations())
    def check(operation):
        expected, most = of_stock(operation)
        found, number = loop.run_until_complete(of_ours(operation))
        assert found == expected
        if most is not None:
            assert number <= most, f"{number} queries, stock Ninja has {most}"

    check()
