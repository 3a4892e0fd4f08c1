"""What an engine keeps for a request holds where the adapters query beside the view.

Pages are counted while they are fetched, and fields of GraphQL run side by side: each in an
operation of its own, on a connection of its own.
"""

import asyncio
import json

import pytest
from django.db import connections
from django.db.models import CharField, F
from django.db.models.expressions import RawSQL
from django.urls import path
from strawberry.django.views import AsyncGraphQLView

import strawberry
from tests.integration.test_engine_hooks import IN_THREADS, TENANTS, in_thread
from tests.ninja.schemas import TagOut
from tests.testapp.models import Tag
from turbo_orm_drf import generics, pagination, serializers
from turbo_orm_ninja import TurboNinjaAPI
from turbo_orm_ninja.pagination import LimitOffsetPagination, paginate
from turbo_orm_strawberry import TurboExtension

SIZE = 3


def tags_of(alias):
    """Return the rows of the tenant that the session knows, as a policy of PostgreSQL would."""
    tenant = RawSQL("current_setting('application_name')", (), output_field=CharField())
    rows = Tag.objects.using(alias).annotate(tenant=tenant)
    return rows.filter(name__startswith=F("tenant")).order_by("name")


def alias_of(request):
    return request.headers["X-Alias"]


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["name"]


class Pages(pagination.PageNumberPagination):
    page_size = SIZE


class Tags(generics.ListAPIView):
    serializer_class = TagSerializer
    pagination_class = Pages

    def get_queryset(self):
        return tags_of(alias_of(self.request))


async def ninja_tags(request):
    return tags_of(alias_of(request))


@strawberry.type
class Query:
    @strawberry.field
    def count(self, info: strawberry.Info) -> int:
        return tags_of(alias_of(info.context.request)).count()

    @strawberry.field
    def results(self, info: strawberry.Info) -> list[str]:
        return [tag.name for tag in tags_of(alias_of(info.context.request))[:SIZE]]

    @strawberry.field
    async def tenant(self, info: strawberry.Info) -> str:
        await asyncio.sleep(0)
        return connections[alias_of(info.context.request)].tenant


def urls():
    api = TurboNinjaAPI(urls_namespace="engine_adapters")
    api.get("/tags", response=list[TagOut])(paginate(LimitOffsetPagination)(ninja_tags))
    schema = strawberry.Schema(Query, extensions=[TurboExtension])
    return [
        path("drf", Tags.as_view()),
        path("ninja/", api.urls),
        path("graphql", AsyncGraphQLView.as_view(schema=schema)),
    ]


async def drf(client, headers):
    found = json.loads((await client.get("/drf", headers)).text)
    return found["count"], [row["name"] for row in found["results"]]


async def ninja(client, headers):
    found = json.loads((await client.get(f"/ninja/tags?limit={SIZE}", headers)).text)
    return found["count"], [row["name"] for row in found["items"]]


async def graphql(client, headers):
    query = json.dumps({"query": "{ count results tenant again: count }"}).encode()
    headers = {**headers, "content-type": "application/json"}
    data = json.loads((await client.request("/graphql", "POST", [query], headers)).text)["data"]
    assert (data["tenant"], data["again"]) == (headers["x-tenant"], data["count"])
    return data["count"], data["results"]


def plainly(alias, tenant):
    """Return the page of a tenant as plain Django has it."""
    connections[alias].enter(tenant)
    rows = tags_of(alias)
    return rows.count(), [tag.name for tag in rows[:SIZE]]


@pytest.mark.needs_thread(IN_THREADS)
@pytest.mark.parametrize("ask", [drf, ninja, graphql])
async def test_pages_their_counts_and_fields_are_those_of_the_tenant(serve, make_alias, ask):
    pool = {"min_size": 1, "max_size": 4, "timeout": 30}
    alias = make_alias(ENGINE="tests.engines.keeping", pool=pool)
    names = [f"{tenant} {n}" for number, tenant in enumerate(TENANTS) for n in range(number + 2)]
    await Tag.objects.abulk_create([Tag(name=name) for name in names])
    expected = {tenant: await in_thread(plainly, alias, tenant) for tenant in TENANTS}
    assert [count for count, _ in expected.values()] == [number + 2 for number in range(8)]
    client = serve(urls(), middleware=["tests.integration.test_engine_hooks.enter_tenant"])

    tenants = TENANTS * 5
    answers = await asyncio.gather(
        *(ask(client, {"x-alias": alias, "x-tenant": tenant}) for tenant in tenants)
    )

    wrong = [
        (tenant, answer)
        for tenant, answer in zip(tenants, answers, strict=True)
        if answer != expected[tenant]
    ]
    assert wrong == []
