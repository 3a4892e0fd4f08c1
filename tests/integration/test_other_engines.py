"""A database that cannot be awaited, beside those that can: Django's way, or a clear error."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction

from tests.testapp.models import Author, Comment, Note, Plain, Tag
from turbo_orm import atomic, open_pools, pool_stats, run_sync

REMEDY = (
    r"DATABASES\['lite'\]\['ENGINE'\] is 'django.db.backends.sqlite3', which Turbo ORM cannot "
    r"await. Put 'django.db.backends.postgresql'"
)
REASON = "SQLite has no asynchronous driver: Django's own methods use a thread for it"


@pytest.fixture
def lite(tmp_path):
    """A SQLite database with the tables of a few models."""
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "lite.sqlite3"}
    connections.settings["lite"] = connections.configure_settings(
        {"default": {}, "lite": settings}
    )["lite"]
    with connections["lite"].schema_editor() as editor:
        for model in (ContentType, Tag, Comment, Note, Plain, Author):
            editor.create_model(model)
    yield
    ContentType.objects.clear_cache()
    connections["lite"].close()
    del connections["lite"]
    del connections.settings["lite"]


async def close():
    """Close the connection of Django's thread, which would else outlive the test."""
    await sync_to_async(connections.close_all)()


@pytest.mark.needs_thread(REASON)
async def test_djangos_own_methods_use_their_thread_for_it(lite):
    made = await Plain.objects.using("lite").acreate(name="a")
    await Plain.objects.using("lite").filter(pk=made.pk).aupdate(name="b")
    await made.arefresh_from_db()
    await made.asave(using="lite")
    await made.children.acreate(name="child")
    rows = Plain.objects.using("lite").order_by("pk")

    assert [row.name async for row in rows] == ["b", "child"]
    assert [row.name async for row in rows.aiterator()] == ["b", "child"]
    assert [row async for row in Plain.objects.using("lite").raw("SELECT * FROM testapp_plain")]
    assert await made.adelete() == (2, {"testapp.Plain": 2})
    await close()


async def test_postgresql_beside_it_is_still_awaited_without_a_thread(lite):
    made = await Plain.objects.acreate(name="a")

    assert await Plain.objects.aget(name="a") == made
    await made.asave()
    assert [row async for row in Plain.objects.all()] == [made]


@pytest.mark.parametrize(
    "use",
    [
        lambda: Author.objects.using("lite").acount(),
        lambda: Author.objects.using("lite").alist(),
        lambda: Author.objects.using("lite").acreate(name="x"),
        lambda: Author.objects.using("lite").aiterator().__anext__(),
        lambda: Author(name="x").asave(using="lite"),
        lambda: Author.objects.araw("SELECT * FROM testapp_author", using="lite"),
        lambda: run_sync(list, Plain.objects.using("lite").all()),
        lambda: atomic(using="lite").__aenter__(),
        lambda: transaction.atomic(using="lite").__aenter__(),
        lambda: open_pools("lite"),
    ],
)
async def test_our_own_methods_say_what_to_put_there(lite, use):
    with pytest.raises(ImproperlyConfigured, match=REMEDY):
        await use()


async def test_there_are_no_statistics_of_it(lite):
    with pytest.raises(ImproperlyConfigured, match=REMEDY):
        pool_stats("lite")


async def test_opening_all_pools_leaves_it_out(lite):
    await open_pools()

    assert pool_stats("default").size >= 1


def test_synchronous_code_uses_it_as_ever(lite):
    with atomic(using="lite"):
        Author.objects.using("lite").create(name="x")

    assert list(Author.objects.using("lite").values_list("name", flat=True)) == ["x"]
