"""django-tenants: each of 320 requests at once sees the rows of its own tenant, and no other's."""

import asyncio
import json

import pytest
from django.core import asgi
from django.core.checks import run_checks
from django.db import connection
from django.test import Client, override_settings

from turbo_orm import run_sync
from turbo_orm.asgi import get_asgi_application

from .tenants.making import ITEMS, TENANTS
from .tenants.urls import VIEWS, seen

REQUESTS = 320


def rows(body):
    """Return what a view answered, in either of its forms."""
    try:
        return [tuple(row) for row in json.loads(body)["seen"]]
    except ValueError:
        lines = [line.split() for line in body.decode().splitlines()]
        return [(owner, int(number)) for owner, number in lines]


def expected(tenant):
    return [(tenant, number) for number in range(ITEMS)]


async def ask(application, path, tenant):
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/{path}",
        "query_string": b"",
        "headers": [(b"host", f"{tenant}.test".encode())],
    }
    sent = []
    received = iter([{"type": "http.request"}])

    async def receive():
        for message in received:
            return message
        return await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    assert sent[0]["status"] == 200, body[-2000:]
    return rows(body)


# Under Django's own handler each synchronous view leaves a connection of its thread behind.
SERVED = [
    *((get_asgi_application, path) for path in VIEWS),
    *((asgi.get_asgi_application, path) for path in VIEWS if not path.startswith("synchronous")),
]


@pytest.mark.parametrize(("handler", "path"), SERVED)
def test_each_request_sees_the_rows_of_its_own_tenant(on_loop, handler, path):
    application = handler()
    tenants = [TENANTS[number % len(TENANTS)] for number in range(REQUESTS)]

    async def main():
        return await asyncio.gather(*(ask(application, path, tenant) for tenant in tenants))

    wrong = [
        (tenant, answer)
        for tenant, answer in zip(tenants, on_loop(main()), strict=True)
        if answer != expected(tenant)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", ["synchronous", "synchronous_stream", "synchronous_rolled_back"])
def test_plain_django_answers_the_same_by_wsgi(path):
    for tenant in TENANTS:
        response = Client(headers={"host": f"{tenant}.test"}).get(f"/{path}")
        body = b"".join(response) if response.streaming else response.content
        assert rows(body) == expected(tenant)
    connection.set_schema_to_public()


def test_a_task_of_ones_own_has_the_tenant_that_it_sets(on_loop):
    async def task(tenant):
        connection.set_schema(tenant)
        await asyncio.sleep(0)
        return await run_sync(seen)

    async def main():
        tasks = [asyncio.create_task(task(tenant)) for tenant in TENANTS]
        return await asyncio.gather(*tasks), connection.schema_name

    assert on_loop(main()) == ([expected(tenant) for tenant in TENANTS], "public")


def test_a_setting_that_needs_one_session_for_each_request_is_refused():
    with override_settings(TENANT_LIMIT_SET_CALLS=True):
        assert "turbo_orm.E020" in [message.id for message in run_checks()]
    assert [message for message in run_checks() if message.id.startswith("turbo_orm.E")] == []
