"""The awaitable methods of caches: in the bridge, unless the cache is beyond a network."""

import asyncio
import threading

import django
import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Plain
from turbo_orm import run_sync
from turbo_orm.patches import blocking

pytestmark = pytest.mark.rolled_back

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "database": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_of_the_tests",
    },
    "dummy": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    "file": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": "unused",
    },
    "memcached": {
        "BACKEND": "tests.integration.test_redirect_caches.NetworkCache",
        "LOCATION": "far away",
    },
}


class NetworkCache(BaseCache):
    """Stands for Redis, Memcached and what others make: it says in which thread it was asked."""

    def __init__(self, server, params):
        super().__init__(params)

    def get(self, key, default=None, version=None):
        return threading.current_thread()

    def clear(self):
        self.cleared_in = threading.current_thread()


@pytest.fixture(autouse=True)
def cache_table():
    with override_settings(CACHES=CACHES):
        call_command("createcachetable", verbosity=0)
        yield
        caches["default"].clear()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE cache_of_the_tests")


SAYS = {
    "aadd": (lambda cache: cache.aadd("a", 2), False),
    "aget": (lambda cache: cache.aget("a"), 1),
    "aget_many": (lambda cache: cache.aget_many(["a", "z"]), {"a": 1}),
    "aget_or_set": (lambda cache: cache.aget_or_set("z", lambda: 3), 3),
    "ahas_key": (lambda cache: cache.ahas_key("a"), True),
    "aincr": (lambda cache: cache.aincr("a", 4), 5),
    "adecr": (lambda cache: cache.adecr("a", 4), -3),
    "aset_many": (lambda cache: cache.aset_many({"b": 2, "c": 3}), []),
    "adelete": (lambda cache: cache.adelete("a"), True),
    "adelete_many": (lambda cache: cache.adelete_many(["a", "z"]), None),
    "atouch": (lambda cache: cache.atouch("a", 60), True),
    "aclear": (lambda cache: cache.aclear(), None),
    "aincr_version": (lambda cache: cache.aincr_version("a"), 2),
    "aclose": (lambda cache: cache.aclose(), None),
}


@pytest.mark.parametrize("method", SAYS)
@pytest.mark.parametrize("alias", ["database", "default"])
async def test_a_cache_in_the_database_or_in_memory_needs_no_thread(alias, method):
    call, answer = SAYS[method]
    await caches[alias].aset("a", 1)

    assert await call(caches[alias]) == answer


async def test_a_dummy_cache_needs_no_thread():
    await caches["dummy"].aset("a", 1)

    assert await caches["dummy"].aget("a", "nothing") == "nothing"


async def test_the_cache_of_the_database_takes_part_in_the_transaction():
    with pytest.raises(ZeroDivisionError):
        async with transaction.atomic():
            await caches["database"].aset("a", 1)
            assert await caches["database"].aget("a") == 1
            _ = 1 / 0

    assert await caches["database"].aget("a") is None


async def test_a_queryset_is_evaluated_on_its_way_into_a_cache_in_memory():
    await Plain.objects.acreate(name="a")
    with CaptureQueriesContext(connection) as queries:
        await caches["default"].aset("rows", Plain.objects.all())

    assert ([row.name for row in await caches["default"].aget("rows")], len(queries)) == (["a"], 1)


@pytest.mark.needs_thread("a cache beyond a network blocks on a socket")
async def test_a_cache_beyond_a_network_keeps_its_thread():
    cache = caches["memcached"]
    await cache.aclear()

    assert await cache.aget("a") is not threading.main_thread()
    assert cache.cleared_in is not threading.main_thread()


async def test_a_cache_in_files_is_not_asked_on_the_loop():
    with pytest.raises(AssertionError, match="a thread was asked for"):
        await caches["file"].aget("a")


async def test_only_caches_without_a_socket_or_a_file_do_not_block():
    assert {alias: blocking.blocks(caches[alias]) for alias in CACHES} == {
        **dict.fromkeys(["default", "database", "dummy"], False),
        **dict.fromkeys(["file", "memcached"], True),
    }


async def test_tasks_use_the_cache_of_the_database_side_by_side():
    cache = caches["database"]
    await asyncio.gather(*(cache.aset(f"key-{n}", n) for n in range(10)))

    assert await cache.aget_many([f"key-{n}" for n in range(10)]) == {
        f"key-{n}": n for n in range(10)
    }


def test_every_awaitable_method_of_a_cache_was_tried():
    methods = {name for name in dir(BaseCache) if name[0] == "a" and hasattr(BaseCache, name[1:])}

    assert methods - {"aset", "adecr_version"} == {*SAYS}


@pytest.mark.skipif(django.VERSION < (6, 0), reason="AsyncPaginator came with Django 6.0")
async def test_a_page_of_something_lazy_is_made_in_the_bridge():
    from django.core.paginator import AsyncPaginator

    class Lazy:
        """Sliceable, but only synchronously iterable, and by a query."""

        def __init__(self, rows):
            self.rows = rows

        def __getitem__(self, index):
            return Lazy(self.rows[index])

        def __len__(self):
            return 2

        def __iter__(self):
            return iter(self.rows)

    await Plain.objects.abulk_create([Plain(name="a"), Plain(name="b")])
    page = await AsyncPaginator(Lazy(Plain.objects.order_by("pk")), 1).apage(2)

    assert [row.name for row in await page.aget_object_list()] == ["b"]


@pytest.mark.needs_thread("a cache beyond a network is asked in one")
async def test_a_cache_beyond_a_network_waits_in_a_thread_when_it_is_called_in_the_bridge():
    loop_thread = threading.current_thread()

    def ask():
        return caches["memcached"].get("a"), caches["default"].get_or_set("a", lambda: 1)

    asked_in, local = await run_sync(ask)

    assert asked_in is not loop_thread
    assert local == 1


def test_where_no_loop_runs_such_a_cache_is_called_directly():
    assert caches["memcached"].get("a") is threading.current_thread()
