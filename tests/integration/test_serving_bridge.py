"""What only ours can serve: plain ORM code in coroutines, atomic coroutines; no thread anywhere."""

import asyncio
import json
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.models import User
from django.core import signals
from django.db import connections
from django.db.models.signals import post_save
from django.test import override_settings

import tests.serving
from tests.serving import lazy
from tests.serving.client import Client
from tests.serving.scripts.base import get, post
from tests.testapp.models import Article, Author, Tag
from turbo_orm.asgi import get_asgi_application

TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [Path(tests.serving.__file__).parent / "templates"]}]
LAZY = "tests.serving.middleware.lazy"


@pytest.fixture
def serve(stack):
    """Give a client of an application with some settings."""

    def make(**changed):
        stack.enter_context(
            override_settings(
                **{
                    "ALLOWED_HOSTS": ["testserver"],
                    "ROOT_URLCONF": "tests.serving.lazy",
                    "TEMPLATES": TEMPLATES,
                    **changed,
                }
            )
        )
        return Client(get_asgi_application())

    return make


@pytest.fixture
def atomic_requests(monkeypatch):
    """Turn ATOMIC_REQUESTS on for some databases."""

    def turn_on(*aliases):
        for alias in aliases:
            monkeypatch.setitem(connections.settings[alias], "ATOMIC_REQUESTS", True)

    return turn_on


async def ask(client, path):
    """Return status and text of an answer."""
    answer = await client.request(get(path))
    assert not answer.error
    return answer.status, answer.body.decode()


async def names(alias="default"):
    return [author.name async for author in Author.objects.using(alias).order_by("pk")]


async def two_authors():
    return [await Author.objects.acreate(name=name) for name in ("ada", "bob")]


# Plain code in coroutines.


async def test_coroutine_follows_a_relation_that_was_not_fetched(serve):
    ada, _ = await two_authors()
    article = await Article.objects.acreate(title="one", author=ada)
    assert await ask(serve(), f"/relation/{article.pk}/") == (200, "one by ada")


async def test_coroutine_iterates_over_reverse_and_many_to_many_relations(serve):
    ada, _ = await two_authors()
    article = await Article.objects.acreate(title="one", author=ada)
    await article.tags.aadd(await Tag.objects.acreate(name="sea"))
    client = serve()
    assert await ask(client, f"/reverse-relations/{ada.pk}/") == (200, '{"one": ["sea"]}')
    assert (await ask(client, "/reverse-relations/0/"))[0] == 404


async def test_coroutine_validates_and_saves_a_form(serve):
    ada, _ = await two_authors()
    client = serve()
    good = await client.request(post("/form/", {"title": "new", "author": ada.pk}))
    bad = await client.request(post("/form/", {"title": "new", "author": 0}))

    assert (good.status, good.body) == (200, b"saved new")
    assert (bad.status, list(json.loads(bad.body))) == (422, ["author"])
    assert await Article.objects.acount() == 1


@pytest.mark.parametrize("path", ["/rendered/", "/rendered-later/"])
async def test_template_evaluates_the_queryset_of_a_coroutine(serve, path):
    await two_authors()
    assert await ask(serve(), path) == (200, "ada, bob, ")


async def test_synchronous_blocks_hold_over_awaits_in_a_coroutine(serve):
    status, text = await ask(serve(), "/written/")
    assert (status, json.loads(text)) == (200, ["rolled back", "committed", "plain", "awaited"])


async def test_coroutine_uses_session_user_permissions_and_messages_synchronously(serve):
    await User.objects.acreate(username="ada", is_superuser=True)
    client = serve()
    assert (await ask(client, "/account/"))[0] == 403
    assert await ask(client, "/log-in/") == (200, "welcome ada")
    status, text = await ask(client, "/account/")
    assert (status, json.loads(text)) == (200, ["ada", True, ["seen 2 times"]])
    assert await ask(client, "/log-out/") == (200, "goodbye AnonymousUser")
    assert (await ask(client, "/account/"))[0] == 403


async def test_coroutine_gathers_queries_beside_plain_ones(serve):
    await two_authors()
    assert await ask(serve(), "/side-by-side/") == (200, '["ada", "bob"]')


@pytest.mark.parametrize("path", ["/streamed/", "/streamed-from-generator/"])
async def test_stream_queries_while_it_is_sent(serve, path):
    ada, _ = await two_authors()
    await Article.objects.acreate(title="one", author=ada)
    assert await ask(serve(), path) == (200, "ada: 1\nbob: 0\n")


async def test_coroutine_methods_of_a_class_run_plain_code(serve):
    client = serve()
    made = await client.request(post("/names/", {"name": "ada", "age": 7}))
    invalid = await client.request(post("/names/", {"name": "", "age": 7}))
    assert (made.body, invalid.body) == (b"ada", b"invalid")
    assert await ask(client, "/names/") == (200, "ada")


# Synchronous views on the loop.


async def test_marked_synchronous_views_run_on_the_loop(serve):
    await two_authors()
    client = serve()
    assert await ask(client, "/marked/") == (200, "2 authors")
    assert await ask(client, "/listed/") == (200, "ada, ")
    assert await ask(client, "/listed/?page=2") == (200, "bob, ")


async def test_every_synchronous_view_runs_on_the_loop_if_settings_say_so(serve):
    await two_authors()
    client = serve(TURBO_ORM={**settings.TURBO_ORM, "SYNC_VIEWS": "loop"})
    assert await ask(client, "/unmarked/") == (200, "2 authors")


async def test_unmarked_synchronous_view_asks_for_a_thread(serve):
    client = serve(DEBUG_PROPAGATE_EXCEPTIONS=True)
    answer = await client.request(get("/unmarked/"))
    assert answer.error.startswith("AssertionError: a thread was asked for")


async def test_synchronous_code_on_the_loop_asks_a_coroutine_in_its_transaction(serve):
    answer = await ask(serve(), "/asking-a-coroutine/")
    assert answer == (200, "1 authors, by the coroutine")


# Middleware and signals.


async def test_every_hook_of_a_middleware_queries_without_a_thread(serve):
    await two_authors()
    client = serve(MIDDLEWARE=[f"{LAZY}.EveryHook"])
    answer = await client.request(get("/rendered-later/"))
    failed = await client.request(get("/failing/error/"))

    assert ("X-Counts", "[2, 2, 2, 2]") in answer.headers
    assert (failed.status, failed.body) == (503, b"after writing; 3 authors")
    assert ("X-Counts", "[2, 2, 3]") in failed.headers


async def test_coroutine_middleware_runs_plain_code(serve):
    client = serve(MIDDLEWARE=[f"{LAZY}.EveryHook", f"{LAZY}.plain_code_in_a_coroutine"])
    answer = await client.request(post("/names/", {"name": "ada", "age": 7}))
    assert ("X-Before-And-After", "0, 1") in answer.headers


async def test_receivers_of_the_request_signals_query_without_a_thread(serve, stack):
    seen = []

    def receive(sender, **kwargs):
        seen.append(Author.objects.count())

    for signal in (signals.request_started, signals.request_finished):
        signal.connect(receive)
        stack.callback(signal.disconnect, receive)
    await serve().request(post("/names/", {"name": "ada", "age": 7}))
    assert seen == [0, 1]


async def test_receiver_asks_a_coroutine_as_it_would_in_a_thread(serve, stack):
    seen = []

    def receive(sender, **kwargs):
        seen.append(async_to_sync(names)())

    post_save.connect(receive, Author)
    stack.callback(post_save.disconnect, receive, Author)
    await serve().request(post("/names/", {"name": "ada", "age": 7}))
    assert seen == [["ada"]]


async def test_outside_the_bridge_a_loop_is_still_no_place_to_wait():
    async def nothing():
        pass

    with pytest.raises(RuntimeError, match="You cannot use AsyncToSync in the same thread"):
        async_to_sync(nothing)()


# ATOMIC_REQUESTS.


@pytest.mark.parametrize("aliases", [(), ("default",), ("other",), ("default", "other")])
async def test_coroutine_is_atomic_in_the_databases_that_ask_for_it(
    serve, atomic_requests, aliases
):
    atomic_requests(*aliases)
    status, text = await ask(serve(), "/block/")

    opened = {alias: alias in aliases for alias in ("default", "other")}
    assert (status, json.loads(text)) == (200, [opened, "default" in aliases])
    assert await names() == ["first", "second"]


@pytest.mark.parametrize(("kind", "status"), [("error", 500), ("404", 404), ("denied", 403)])
async def test_atomic_coroutine_that_raises_leaves_nothing(serve, atomic_requests, kind, status):
    atomic_requests("default")
    assert (await ask(serve(), f"/failing/{kind}/"))[0] == status
    assert await names() == []
    assert await names("other") == ["lost"]


async def test_both_databases_are_rolled_back_if_both_are_atomic(serve, atomic_requests):
    atomic_requests("default", "other")
    assert (await ask(serve(), "/failing/error/"))[0] == 500
    assert [await names(), await names("other")] == [[], []]


async def test_coroutine_that_is_excused_is_in_no_block(serve, atomic_requests):
    atomic_requests("default", "other")
    client = serve(MIDDLEWARE=[f"{LAZY}.EveryHook"])
    assert await ask(client, "/outside/") == (503, "in a block: False; 1 authors")
    assert await names() == ["kept"]


async def test_coroutine_is_excused_from_one_database(serve, atomic_requests):
    atomic_requests("default", "other")
    status, text = await ask(serve(), "/outside-of-one/")
    assert (status, json.loads(text)) == (200, {"default": True, "other": False})


async def test_classes_of_coroutines_are_atomic_unless_excused(serve, atomic_requests):
    atomic_requests("default")
    client = serve()
    assert await ask(client, "/inside-in-class/") == (200, "in a block: True")
    assert await ask(client, "/outside-in-class/") == (200, "in a block: False")


async def test_synchronous_view_on_the_loop_is_atomic(serve, atomic_requests):
    atomic_requests("default")
    client = serve(MIDDLEWARE=[f"{LAZY}.EveryHook"])
    assert await ask(client, "/marked-block/") == (503, "in a block: True; 0 authors")


async def test_atomic_coroutine_may_roll_back_and_answer(serve, atomic_requests):
    atomic_requests("default")
    assert await ask(serve(), "/rolled-back-by-hand/") == (200, "answered all the same")
    assert await names() == []


async def test_hooks_run_after_an_atomic_coroutine_before_its_response_is_rendered(
    serve, atomic_requests
):
    atomic_requests("default")
    assert await ask(serve(), "/committed-later/") == (200, "by the view, by the hook, ")


async def test_atomic_coroutines_side_by_side_have_transactions_of_their_own(
    serve, atomic_requests, monkeypatch
):
    monkeypatch.setattr(lazy, "waiting", [])
    atomic_requests("default")
    client = serve()
    good, bad = await asyncio.gather(ask(client, "/meeting/good/"), ask(client, "/meeting/bad/"))
    assert (good, bad[0]) == ((200, "1 seen"), 500)
    assert await names() == ["good"]
