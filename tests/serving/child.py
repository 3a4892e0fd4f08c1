"""One flavour of server and its client, and what was seen of them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import gzip
import html
import json
import re
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command
from django.db import connections
from django.middleware.gzip import GZipMiddleware
from django.test.utils import (
    override_settings,
    setup_databases,
    setup_test_environment,
    teardown_databases,
)
from django.urls import Resolver404, resolve

from tests.cleaning import Cleaner

from . import recorder
from .client import Answer, Client, Step
from .flavours import OURS, STOCK_WSGI
from .normalise import Normaliser
from .scripts import SCENARIOS
from .scripts.base import Scenario
from .seed import seed
from .stacks import STACKS
from .wsgi import WSGIClient

# What Django's own error page says of an exception; the rest shows frames and settings.
DEBUG_PAGE = re.compile(r'<pre class="exception_value">(.*?)</pre>', re.DOTALL)
LONG = 20_000


def run(target: Path) -> None:
    """Run every scenario and write what was seen."""
    setup_test_environment(debug=False)
    created = setup_databases(verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    connections.close_all()
    recorder.install()
    # It hides the length of what it packs.
    GZipMiddleware.max_random_bytes = 0
    # What a request leaves behind is collected after each; not Django and the project.
    gc.freeze()
    cleaner = Cleaner("default")
    try:
        seen = asyncio.run(run_all(client_of(settings.FLAVOUR), cleaner))
    finally:
        cleaner.connection.close()
        connections.close_all()
        teardown_databases(created, verbosity=0)
    target.write_text(json.dumps(seen))


def client_of(flavour: str) -> Callable[[], Client]:
    """Return what makes the application and its client."""
    if flavour == STOCK_WSGI:
        from django.core.wsgi import get_wsgi_application

        return lambda: WSGIClient(get_wsgi_application())
    if flavour in OURS:
        from turbo_orm.asgi import get_asgi_application
    else:
        from django.core.asgi import get_asgi_application
    return lambda: Client(get_asgi_application())


async def run_all(get_client: Callable[[], Client], cleaner: Cleaner) -> dict[str, Any]:
    """Run the scenarios one after another on one loop."""
    seen: dict[str, Any] = {}
    # One thread for what needs no particular one: `_settle` knows when it is done.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    for scenario in SCENARIOS:
        with surroundings(scenario):
            await asyncio.to_thread(seed, cleaner)
            # What was loaded since is no garbage either: each collection goes through the rest.
            await _settle()
            gc.freeze()
            await run_scenario(scenario, get_client, seen)
    if settings.FLAVOUR in OURS:
        from turbo_orm import close_pools

        await close_pools()
    return seen


@contextlib.contextmanager
def surroundings(scenario: Scenario) -> Iterator[None]:
    """Put the scenario's settings in place, and empty the caches."""
    configured = connections.settings["default"]
    configured["ATOMIC_REQUESTS"] = scenario.atomic
    caches["default"].clear()
    try:
        with override_settings(MIDDLEWARE=STACKS[scenario.stack], **dict(scenario.settings)):
            yield
    finally:
        configured["ATOMIC_REQUESTS"] = False


async def run_scenario(
    scenario: Scenario, get_client: Callable[[], Client], seen: dict[str, Any]
) -> None:
    """Load the middleware, then send each request."""
    normalised = Normaliser()
    with recorder.recording() as record:
        client = get_client()
    seen[f"{scenario.name}/loading"] = _written(record, Answer(), client, normalised)
    for step in scenario.steps:
        with recorder.recording() as record:
            answer = await client.request(step)
            await _settle()
        seen[f"{scenario.name}/{step.name}"] = _written(record, answer, client, normalised, step)


async def _settle() -> None:
    """Let what the request left behind be collected, and end, while it is recorded."""
    # A thread holds its last job until it is given the next.
    await asyncio.to_thread(int)
    gc.collect()
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()


def _written(
    record: recorder.Record,
    answer: Answer,
    client: Client,
    normalised: Normaliser,
    step: Step | None = None,
) -> dict[str, Any]:
    text = dataclasses.asdict(answer) | {
        "headers": headers_of(answer),
        "body": readable(answer),
        "cookies": [f"{name}={value}" for name, value in sorted(client.cookies.items())],
        "view": "none" if step is None else kind_of_view(step),
        **vars(record),
    }
    if step is not None and step.disconnect:
        # How much was sent by then is a matter of buffers.
        text["body"] = text["body"][:20]
    return {name: _normalised(value, normalised) for name, value in text.items()}


def kind_of_view(step: Step) -> str:
    """Return what kind of view a request reaches, if its client waits for the answer."""
    path, _, query = step.path.partition("?")
    try:
        query.encode("latin-1").decode()
        view = resolve(unquote(path, errors="strict")).func
    except UnicodeDecodeError:
        return "none"
    except Resolver404:
        return "missing"
    if step.disconnect:
        return "none"
    return "coroutine" if iscoroutinefunction(view) else "synchronous"


def _normalised(value: Any, normalised: Normaliser) -> Any:
    if isinstance(value, list):
        return [normalised(line) for line in value]
    return normalised(value) if isinstance(value, str) else value


def readable(answer: Answer) -> str:
    """Return the body as text: unpacked, and of an error page what is not about frames."""
    body = answer.body
    headers = {name.lower(): value for name, value in answer.headers}
    if headers.get("content-encoding") == "gzip" and body:
        body = gzip.decompress(body)
    text = body.decode("utf-8", "backslashreplace")
    if found := DEBUG_PAGE.search(text):
        return html.unescape(found[1])
    return text if len(text) < LONG else f"{text[:80]}... {len(text)} {zlib.crc32(body)}"


def headers_of(answer: Answer) -> list[str]:
    """Return a line for each header; how long an error page is depends on its frames."""
    shown = DEBUG_PAGE.search(answer.body.decode("utf-8", "backslashreplace"))
    return [
        f"{name}: {'of a debug page' if shown and name == 'Content-Length' else value}"
        for name, value in answer.headers
    ]
