"""Subscriptions, `@defer` and `@stream`: a connection per query, none in between."""

import asyncio
import json
from collections.abc import AsyncGenerator

import graphql
import pytest
from django.urls import path
from strawberry.schema.config import StrawberryConfig

import strawberry
import turbo_orm_strawberry as turbo
from tests.ninja.helpers import fill
from tests.strawberry.common import Article, Author, data, schema, sleep
from tests.testapp import models
from tests.waiting import until, until_asleep
from turbo_orm import atomic, pool_stats
from turbo_orm_strawberry import AsyncGraphQLView

INCREMENTAL = graphql.version_info >= (3, 3)
seen = []


@strawberry.type
class Query:
    articles: list[Article] = turbo.field()

    @strawberry.field
    async def generated(self) -> list[Article]:
        return models.Article.objects.all()

    @strawberry.field
    async def rows(self) -> strawberry.Streamable[Article]:
        for number in range(3):
            await asyncio.sleep(0)
            yield models.Article.objects.get(title=f"title{number}")

    @strawberry.field
    def slow(self) -> int:
        sleep(0.2)
        return 1


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def articles(self) -> AsyncGenerator[Article, None]:
        for title in ("title0", "title1"):
            await asyncio.sleep(0)
            # Plain, in the middle of a generator.
            yield models.Article.objects.get(title=title)

    @strawberry.subscription
    async def querysets(self) -> AsyncGenerator[list[Article], None]:
        yield models.Article.objects.filter(title="title0")
        yield [article async for article in models.Article.objects.filter(title="title1")]

    @strawberry.subscription
    async def idle(self) -> AsyncGenerator[int, None]:
        for _ in range(3):
            yield models.Article.objects.count()
            seen.append(pool_stats().in_use)

    @strawberry.subscription
    async def slow(self) -> AsyncGenerator[int, None]:
        yield 1
        try:
            async with atomic():
                await models.Tag.objects.acreate(name="gone")
                sleep()
        finally:
            seen.append(models.Tag.objects.count())

    @strawberry.subscription
    async def broken(self) -> AsyncGenerator[int, None]:
        yield models.Article.objects.count()
        models.Article.objects.get(title="nosuch")


def built(**options):
    return schema(Query, subscription=Subscription, **options)


async def events(query):
    found = []
    async for result in await built().subscribe(query):
        assert result.errors is None, result.errors
        found.append(result.data)
    return found


NESTED = "{ title author { name } tags { name } }"


def nested(number):
    tags = [{"name": f"tag{n}"} for n in range(3)]
    return {"title": f"title{number}", "author": {"name": f"author{number}"}, "tags": tags}


async def test_a_generator_may_use_plain_queries_and_its_events_are_resolved(at_rest):
    await fill()

    assert await events(f"subscription {{ articles {NESTED} }}") == [
        {"articles": nested(0)},
        {"articles": nested(1)},
    ]


async def test_an_event_may_be_a_queryset(at_rest):
    await fill()

    assert await events(f"subscription {{ querysets {NESTED} }}") == [
        {"querysets": [nested(0)]},
        {"querysets": [nested(1)]},
    ]


async def test_between_two_events_it_has_no_connection(full_pool, at_rest):
    seen.clear()

    assert await events("subscription { idle }") == [{"idle": 0}] * 3
    assert seen == [0, 0, 0]


async def test_twenty_subscriptions_share_a_pool_of_four(at_rest):
    await fill()

    query = "subscription { articles { title } }"
    found = await asyncio.gather(*(events(query) for _ in range(20)))

    assert found == [[{"articles": {"title": f"title{n}"}} for n in range(2)]] * 20


async def test_an_error_of_a_generator_is_the_last_event(at_rest):
    results = [result async for result in await built().subscribe("subscription { broken }")]

    assert [result.data for result in results] == [{"broken": 0}, None]
    assert "does not exist" in results[1].errors[0].message


async def cleaned_up():
    """Wait for what the generator noted at its end; graphql-core 3.2 does not."""
    return await until(lambda: seen)


async def test_a_subscription_that_is_cancelled_ends_its_query(at_rest):
    seen.clear()

    async def consume():
        async for _ in await built().subscribe("subscription { slow }"):
            pass

    task = asyncio.ensure_future(consume())
    await until_asleep()
    task.cancel()
    [outcome] = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(outcome, asyncio.CancelledError)
    # Its clean-up could query.
    assert await cleaned_up() == [0]


async def test_a_subscription_that_is_closed_gives_everything_back(at_rest):
    stream = await built().subscribe("subscription { slow }")
    await stream.__anext__()
    await stream.aclose()


PROTOCOLS = [
    ("multipart-subscription", "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"),
    ("graphql-sse", "text/event-stream"),
]


@pytest.mark.parametrize(("protocol", "accept"), PROTOCOLS)
async def test_a_subscription_is_served_and_ends_with_its_client(protocol, accept, serve, at_rest):
    view = AsyncGraphQLView.as_view(schema=built(), subscription_protocols=[protocol])
    client = serve([path("graphql/", view)])
    seen.clear()
    request = client.begin(
        "/graphql/",
        "POST",
        [json.dumps({"query": "subscription { slow }"}).encode()],
        {"content-type": "application/json", "accept": accept},
    )
    await until_asleep()

    await request.gone()

    assert await cleaned_up() == [0]


needs_incremental = pytest.mark.skipif(
    not INCREMENTAL, reason="graphql-core 3.2 knows neither @defer nor @stream"
)


def incremental():
    return built(config=StrawberryConfig(enable_experimental_incremental_execution=True))


async def frames(query):
    """Return the data of the first frame, and all that came later."""
    result = await incremental().execute(query)
    initial = result.initial_result
    later = [frame.formatted async for frame in result.subsequent_results]
    return initial.data, later


def items(later):
    """Return what was streamed after the first frame."""
    parts = [part for frame in later for part in frame.get("incremental", ())]
    return [item for part in parts for item in part["items"]]


@needs_incremental
async def test_deferred_fields_come_later_and_may_query(at_rest):
    await fill(0, 1)

    first, later = await frames(
        "{ articles { title ... @defer { author { name profile { bio } } } } slow }"
    )

    assert first == {"articles": [{"title": "title0"}], "slow": 1}
    [incremental] = [item for frame in later for item in frame.get("incremental", ())]
    assert incremental["data"] == {"author": {"name": "author0", "profile": {"bio": "bio0"}}}


@needs_incremental
@pytest.mark.parametrize("field", ["articles", "generated"])
async def test_a_list_may_be_streamed(field, at_rest):
    await fill()

    first, later = await frames(f"{{ {field} @stream(initialCount: 1) {NESTED} }}")

    assert [*first[field], *items(later)] == [nested(n) for n in range(3)]


@needs_incremental
async def test_a_streamed_generator_may_use_plain_queries(at_rest):
    await fill()

    first, later = await frames(f"{{ rows @stream(initialCount: 1) {NESTED} }}")

    assert [*first["rows"], *items(later)] == [nested(n) for n in range(3)]


@needs_incremental
async def test_a_generator_of_a_list_may_use_plain_queries(at_rest):
    await fill()

    assert await data(built(), f"{{ rows {NESTED} }}") == {"rows": [nested(n) for n in range(3)]}


@needs_incremental
async def test_what_is_deferred_and_not_awaited_gives_its_connection_back(at_rest):
    await fill()
    result = await incremental().execute("{ articles { title ... @defer { author { name } } } }")

    await result.subsequent_results.aclose()


assert Author
