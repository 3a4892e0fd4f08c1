"""Sessions of every backend, awaited: in no thread, unless what keeps them is beyond a network."""

import datetime
import threading
from importlib import import_module

import django
import pytest
from django.contrib.sessions.backends import file
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from tests.integration.test_redirect_caches import CACHES
from turbo_orm import run_sync
from turbo_orm.patches import blocking

pytestmark = [
    pytest.mark.rolled_back,
    pytest.mark.skipif(django.VERSION < (5, 1), reason="awaitable sessions came with Django 5.1"),
]

STORES = {
    "db": ("db", "default"),
    "cached_db in memory": ("cached_db", "default"),
    "cached_db in the database": ("cached_db", "database"),
    "cache in memory": ("cache", "default"),
    "cache in the database": ("cache", "database"),
    "file": ("file", "default"),
}


@pytest.fixture(autouse=True)
def cache_table():
    with override_settings(CACHES=CACHES):
        call_command("createcachetable", verbosity=0)
        yield
        caches["default"].clear()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE cache_of_the_tests")


def store_of(backend):
    return import_module(f"django.contrib.sessions.backends.{backend}").SessionStore


@pytest.fixture(params=STORES)
def store(request, tmp_path, monkeypatch):
    backend, alias = STORES[request.param]
    monkeypatch.setattr(file.SessionStore, "_storage_path", str(tmp_path), raising=False)
    with override_settings(SESSION_CACHE_ALIAS=alias):
        yield store_of(backend)


async def test_a_session_is_created_and_read_without_a_thread(store):
    session = store()
    await session.acreate()
    await session.aset("a", 1)
    await session.asave()
    again = store(session.session_key)

    assert (await again.aget("a"), await again.ahas_key("b")) == (1, False)
    assert await store().aexists(session.session_key) is True


async def test_a_session_changes_its_key_and_ends_without_a_thread(store):
    session = store()
    await session.aset("a", 1)
    await session.asave()
    before = session.session_key
    await session.acycle_key()
    after = session.session_key
    assert (await store().aexists(before), await store(after).aget("a")) == (False, 1)
    await session.aflush()

    assert (session.session_key, await store().aexists(after)) == (None, False)


async def test_a_session_in_a_cookie_needs_no_thread():
    session = store_of("signed_cookies")()
    await session.aset("a", 1)
    await session.asave()

    assert await store_of("signed_cookies")(session.session_key).aget("a") == 1
    await session.aflush()
    assert await session.aget("a") is None


async def test_expired_sessions_are_cleared_without_a_thread():
    yesterday = timezone.now() - datetime.timedelta(days=1)
    await Session.objects.acreate(session_key="old", session_data="", expire_date=yesterday)
    kept = SessionStore()
    await kept.acreate()
    await SessionStore.aclear_expired()

    assert [row.session_key async for row in Session.objects.all()] == [kept.session_key]


async def test_a_session_is_saved_in_the_transaction_around_it():
    session = SessionStore()
    with pytest.raises(ZeroDivisionError):
        async with transaction.atomic():
            await session.aset("a", 1)
            await session.asave()
            assert await Session.objects.acount() == 1
            _ = 1 / 0

    assert await Session.objects.acount() == 0


class Inherited(SessionBase):
    """A store with synchronous methods only, as a third party makes one."""

    def load(self):
        return {"thread": threading.current_thread()}

    def exists(self, session_key):
        return threading.current_thread()


class OfDatabase(SessionStore):
    """A store of the database that only its author knows, with a synchronous method of its own."""

    async def aexists(self, session_key):
        return await SessionBase.aexists(self, session_key)

    def exists(self, session_key):
        return (threading.current_thread(), self.model.objects.count())


@pytest.mark.commits
@pytest.mark.needs_thread("nobody knows what a third party's store waits for")
async def test_a_third_partys_store_keeps_its_thread():
    assert await Inherited().aexists("key") is not threading.main_thread()
    assert await Inherited().aget("thread") is not threading.main_thread()


async def test_a_store_derived_from_that_of_the_database_needs_no_thread():
    assert await OfDatabase().aexists("key") == (threading.main_thread(), 0)


@pytest.mark.needs_thread("a cache beyond a network blocks on a socket")
async def test_a_session_in_a_cache_beyond_a_network_keeps_its_thread():
    with override_settings(SESSION_CACHE_ALIAS="memcached"):
        session = store_of("cache")("k" * 32)
        # The cache of the tests answers with the thread in which it was asked.
        assert await session.aload() is not threading.main_thread()
        assert await run_sync(session.load) is not threading.main_thread()


def test_a_session_in_files_or_beyond_a_network_blocks():
    def judged(backend, alias="default"):
        with override_settings(SESSION_CACHE_ALIAS=alias):
            store = store_of(backend)
            assert blocking.blocks(store("k" * 32)) is blocking.blocks(store)
            with override_settings(SESSION_ENGINE=store.__module__):
                assert blocking.blocks(SessionMiddleware(str)) is blocking.blocks(store)
            return blocking.blocks(store)

    assert [judged(backend) for backend in ("db", "cached_db", "cache", "signed_cookies")] == (
        [False] * 4
    )
    assert [judged("cached_db", "database"), judged("cache", "database")] == [False, False]
    assert [judged("cached_db", "memcached"), judged("cache", "file"), judged("file")] == [True] * 3
