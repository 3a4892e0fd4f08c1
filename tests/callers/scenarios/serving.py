"""Requests under Django's own handlers."""

from __future__ import annotations

import asyncio
from typing import Any

from django.test import RequestFactory, override_settings

from .registry import scenario


def _get(application: Any, path: str) -> Any:
    environ = RequestFactory().get(path).environ
    status: list[str] = []
    body = application(environ, lambda line, headers: status.append(line))
    try:
        return status, b"".join(body).decode()
    finally:
        body.close()


@scenario
def requests_under_wsgi() -> Any:
    from django.core.handlers.wsgi import WSGIHandler

    application = WSGIHandler()
    return [_get(application, f"/coroutine/{number}/") for number in range(10)]


@scenario
def a_block_around_a_coroutine_view_under_wsgi() -> Any:
    from django.core.handlers.wsgi import WSGIHandler

    with override_settings(MIDDLEWARE=["tests.callers.urls.all_or_nothing"]):
        application = WSGIHandler()
    return [_get(application, f"/coroutine/{name}/") for name in ("kept", "gone")]


async def _ask(application: Any, path: str) -> Any:
    from asgiref.testing import ApplicationCommunicator

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "http_version": "1.1",
    }
    talk = ApplicationCommunicator(application, scope)
    await talk.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await talk.receive_output(20)
    body = await talk.receive_output(20)
    await talk.wait(20)
    return start["status"], body["body"].decode()


def _served(*paths: str, middleware: tuple[str, ...] = ()) -> Any:
    from django.core.handlers.asgi import ASGIHandler

    async def serve() -> Any:
        return [await _ask(application, path) for path in paths]

    with override_settings(MIDDLEWARE=middleware):
        application = ASGIHandler()
    return asyncio.run(serve())


@scenario
def a_block_around_a_coroutine_view_under_djangos_own_asgi_handler() -> Any:
    middleware = ("tests.callers.urls.all_or_nothing",)
    return _served("/coroutine/kept/", "/coroutine/gone/", middleware=middleware)


@scenario
def a_block_around_a_synchronous_view_under_djangos_own_asgi_handler() -> Any:
    middleware = ("tests.callers.urls.all_or_nothing",)
    return _served("/synchronous/kept/", "/synchronous/gone/", middleware=middleware)
