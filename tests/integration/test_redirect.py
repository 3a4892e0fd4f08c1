"""Django's own awaitable methods, on plain models, in no thread; and the table behind that."""

import asgiref.sync
import django
import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections, transaction
from django.db.models import Count
from django.db.models.query import QuerySet
from django.db.transaction import Atomic
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Author, Note, Plain
from tests.threads import refuse_threads
from turbo_orm import run_sync
from turbo_orm.foreign import find
from turbo_orm.patches import redirect
from turbo_orm.patches.redirects import TABLE, Redirect
from turbo_orm.patches.redirects.database import QUERYSET, RELATED

SELECT = "SELECT * FROM testapp_plain ORDER BY id"


@pytest.fixture(autouse=True)
def applied():
    """Each test finds the redirects in place, and leaves them there."""
    redirect.apply()
    yield
    redirect.revert()
    redirect.apply()


@pytest.fixture
async def plain():
    made = await Plain.objects.abulk_create([Plain(name="a"), Plain(name="b"), Plain(name="c")])
    assert type(Plain.objects.all()) is QuerySet
    return made


TERMINALS = {
    "aaggregate": (lambda: Plain.objects.aaggregate(n=Count("pk")), {"n": 3}),
    "abulk_update": (lambda: Plain.objects.abulk_update([Plain(pk=1, name="x")], ["name"]), 1),
    "acontains": (lambda: Plain.objects.acontains(Plain(pk=1)), True),
    "acount": (lambda: Plain.objects.filter(name__gt="a").acount(), 2),
    "adelete": (lambda: Plain.objects.filter(name="a").adelete(), (1, {"testapp.Plain": 1})),
    "aearliest": (lambda: Plain.objects.aearliest("name"), Plain(pk=1)),
    "aexists": (Plain.objects.aexists, True),
    "afirst": (Plain.objects.afirst, Plain(pk=1)),
    "aget": (lambda: Plain.objects.aget(name="b"), Plain(pk=2)),
    "aget_or_create": (lambda: Plain.objects.aget_or_create(name="b"), (Plain(pk=2), False)),
    "ain_bulk": (lambda: Plain.objects.ain_bulk([3]), {3: Plain(pk=3)}),
    "alast": (Plain.objects.alast, Plain(pk=3)),
    "alatest": (lambda: Plain.objects.alatest("name"), Plain(pk=3)),
    "aupdate": (lambda: Plain.objects.filter(pk__gt=1).aupdate(name="x"), 2),
    "aupdate_or_create": (
        lambda: Plain.objects.aupdate_or_create({"name": "x"}, name="b"),
        (Plain(pk=2), False),
    ),
}


@pytest.mark.parametrize("name", TERMINALS)
async def test_a_plain_querysets_terminal_answers_without_a_thread(plain, name):
    call, answer = TERMINALS[name]

    assert await call() == answer


async def test_the_other_terminals_of_a_plain_queryset_need_no_thread(plain):
    made = await Plain.objects.acreate(name="d")

    assert made == Plain(pk=4)
    assert "Scan" in await Plain.objects.aexplain()
    assert {*TERMINALS, "abulk_create", "acreate", "aexplain", "__aiter__"} == {*QUERYSET}


async def test_a_plain_queryset_is_iterated_without_a_thread(plain):
    assert [row async for row in Plain.objects.order_by("pk")] == plain


async def test_a_plain_raw_queryset_is_iterated_without_a_thread(plain):
    assert [row async for row in Plain.objects.raw(SELECT)] == plain


async def test_a_plain_queryset_is_streamed_without_a_thread(plain):
    rows = Plain.objects.order_by("pk").prefetch_related("children").aiterator(chunk_size=2)

    assert [row async for row in rows] == plain


async def test_a_stream_refuses_a_chunk_size_of_zero(plain):
    with pytest.raises(ValueError, match="Chunk size must be strictly positive"):
        [row async for row in Plain.objects.aiterator(chunk_size=0)]


@pytest.mark.skipif(django.VERSION < (5, 0), reason="aprefetch_related_objects: Django 5.0")
async def test_instances_are_prefetched_without_a_thread(plain):
    from django.db.models import aprefetch_related_objects

    await plain[0].children.acreate(name="child")
    await aprefetch_related_objects(plain, "children")

    assert [[child.name for child in row.children.all()] for row in plain] == [["child"], [], []]


async def test_a_plain_instance_is_saved_refreshed_and_deleted_without_a_thread(plain):
    fresh = Plain(name="new")
    await fresh.asave()
    await Plain.objects.filter(pk=fresh.pk).aupdate(name="changed")
    await fresh.arefresh_from_db()

    assert fresh.name == "changed"
    assert await fresh.adelete() == (1, {"testapp.Plain": 1})


async def test_a_plain_reverse_manager_needs_no_thread(plain):
    parent, child, other = plain
    await parent.children.aadd(child)
    await parent.children.aset([child, other])
    await parent.children.aremove(other)
    made = await parent.children.acreate(name="d")
    assert await parent.children.aget_or_create(name="d") == (made, False)
    assert await parent.children.aupdate_or_create(name="d") == (made, False)
    assert [row async for row in parent.children.order_by("pk")] == [child, made]
    await parent.children.aclear()

    assert await parent.children.acount() == 0


async def test_a_plain_many_to_many_manager_needs_no_thread():
    user = await User.objects.acreate(username="ann")
    groups = await Group.objects.abulk_create([Group(name="x"), Group(name="y")])
    await user.groups.aadd(groups[0])
    await user.groups.aset(groups)
    await user.groups.aremove(groups[0])
    made = await user.groups.acreate(name="z")
    assert await user.groups.aget_or_create(name="z") == (made, False)
    assert await user.groups.aupdate_or_create(name="z") == (made, False)
    assert [group async for group in user.groups.order_by("pk")] == [groups[1], made]
    await user.groups.aclear()

    assert await groups[1].user_set.acount() == 0


async def test_a_plain_generic_manager_needs_no_thread(plain):
    await run_sync(ContentType.objects.get_for_model, Plain)
    notes = plain[0].notes
    loose = Note(text="loose")
    await notes.aadd(loose, bulk=False)
    made = await notes.acreate(text="made")
    assert await notes.aget_or_create(text="made") == (made, False)
    assert await notes.aupdate_or_create(text="made") == (made, False)
    assert [note async for note in notes.order_by("pk")] == [loose, made]
    await notes.aremove(loose)
    await notes.aset([made])
    assert await notes.acount() == 1
    await notes.aclear()

    assert await Note.objects.acount() == 0


@pytest.mark.skipif(django.VERSION < (5, 0), reason="aget_object_or_404 came with Django 5.0")
async def test_the_shortcuts_need_no_thread(plain):
    from django.shortcuts import aget_list_or_404, aget_object_or_404

    assert await aget_object_or_404(Plain, name="a") == plain[0]
    assert await aget_list_or_404(Plain, name="a") == [plain[0]]
    with pytest.raises(Http404):
        await aget_object_or_404(Plain, name="z")


async def test_a_shortcut_works_in_the_bridge(plain):
    assert await run_sync(get_object_or_404, Plain, name="a") == plain[0]


async def test_natural_keys_are_awaited_without_a_thread():
    user = await User.objects.acreate(username="ann")
    if django.VERSION >= (5, 2):
        assert await User.objects.aget_by_natural_key("ann") == user
    assert await run_sync(User.objects.get_by_natural_key, "ann") == user


async def test_djangos_atomic_is_an_asynchronous_block(plain):
    with pytest.raises(ZeroDivisionError):
        async with transaction.atomic():
            await Plain.objects.aupdate(name="x")
            async with transaction.atomic(savepoint=False):
                await Plain.objects.acreate(name="y")
            _ = 1 / 0

    assert type(transaction.atomic()) is Atomic
    assert [row.name async for row in Plain.objects.order_by("pk")] == ["a", "b", "c"]


async def test_djangos_atomic_nests_and_commits(plain):
    async with transaction.atomic(durable=True):
        await Plain.objects.filter(pk=1).aupdate(name="x")
        with pytest.raises(ZeroDivisionError):
            async with transaction.atomic():
                await Plain.objects.aupdate(name="y")
                _ = 1 / 0

    assert [row.name async for row in Plain.objects.order_by("pk")] == ["x", "b", "c"]


async def test_djangos_atomic_decorates_coroutine_functions(plain):
    @transaction.atomic
    async def fail(name):
        """Say why."""
        await Plain.objects.aupdate(name=name)
        assert connection.in_atomic_block
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail("x")

    assert fail.__doc__ == "Say why."
    assert [row.name async for row in Plain.objects.order_by("pk")] == ["a", "b", "c"]


async def test_djangos_atomic_with_options_decorates_coroutine_functions():
    @transaction.atomic(using="other", durable=True)
    async def make():
        await Plain.objects.using("other").acreate(name="x")
        return connections["other"].in_atomic_block, connection.in_atomic_block

    assert await make() == (True, False)
    assert await Plain.objects.using("other").acount() == 1


def test_djangos_atomic_still_decorates_functions_and_is_a_block():
    @transaction.atomic
    def make():
        Plain.objects.create(name="x")
        return connection.in_atomic_block

    with transaction.atomic():
        assert make() is True
    assert Plain.objects.count() == 1


async def test_queries_of_redirected_methods_are_captured(plain):
    with CaptureQueriesContext(connection) as queries:
        await Plain.objects.acount()

    assert len(queries) == 1


def value_of(row):
    return getattr(find(row.owner), row.name, None)


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row.applies], ids=lambda row: f"{row.owner}-{row.name}"
)
def test_each_row_is_in_place_and_can_be_taken_back(row):
    replaced = value_of(row)
    redirect.revert()
    original = value_of(row)

    assert (original is None) is row.new
    assert replaced is not original
    redirect.apply()
    assert value_of(row) is not original


def test_applying_twice_is_the_same_as_once():
    before = [value_of(row) for row in TABLE if row.applies]
    redirect.apply()

    assert [value_of(row) for row in TABLE if row.applies] == before


def test_every_related_method_of_django_is_in_the_table():
    async_methods = {
        name
        for name in dir(User(pk=1).groups)
        if name[0] == "a"
        and hasattr(User(pk=1).groups, name[1:])
        and not hasattr(Group.objects, name)
    }

    assert async_methods <= set(RELATED)


WRONG = {
    "owner": (
        Redirect("django.gone.module", "name", lambda original: original),
        "redirects django.gone.module.name, but in Django .* django.gone.module is gone",
    ),
    "class": (
        Redirect("django.db.models.query.GoneSet", "name", lambda original: original),
        "django.db.models.query.GoneSet is gone",
    ),
    "name": (
        Redirect("django.db.models.query", "gone_to_async", lambda original: original),
        "django.db.models.query has no gone_to_async",
    ),
    "user": (
        Redirect(
            "django.db.models.query", "sync_to_async", lambda original: original, ("QuerySet.all",)
        ),
        "QuerySet.all does not use sync_to_async",
    ),
    "inner": (
        Redirect(
            *("django.contrib.contenttypes.fields", "sync_to_async", lambda original: original),
            ("create_generic_related_manager:gone",),
        ),
        "create_generic_related_manager:gone does not use sync_to_async",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_name_that_django_lacks_is_reported_and_nothing_is_replaced(monkeypatch, what):
    row, message = WRONG[what]
    redirect.revert()
    monkeypatch.setattr(redirect, "TABLE", (*TABLE, row))

    with pytest.raises(ImproperlyConfigured, match=message) as raised:
        redirect.apply()

    assert "REDIRECT_DJANGO" in str(raised.value)
    assert django.db.models.query.sync_to_async is asgiref.sync.sync_to_async
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("since", "before", "applies"),
    [
        ((4, 2), None, True),
        ((99, 0), None, False),
        ((4, 2), (4, 2), False),
        ((4, 2), (99, 0), True),
    ],
)
def test_a_row_applies_to_the_versions_that_it_names(since, before, applies):
    assert Redirect("x", "y", str, since=since, before=before).applies is applies


@override_settings(TURBO_ORM={"REDIRECT_DJANGO": False})
async def test_switched_off_djangos_own_methods_are_left_alone(monkeypatch):
    redirect.revert()
    apps.get_app_config("turbo_orm").ready()

    assert django.db.models.query.sync_to_async is asgiref.sync.sync_to_async
    assert not hasattr(Atomic, "__aenter__")
    # asgiref's own method is in its place again, and would go to a thread.
    with monkeypatch.context() as patched:
        refuse_threads(patched)
        with pytest.raises(AssertionError, match="a thread was asked for"):
            await Plain.objects.acount()
    assert await Author.objects.acount() == 0


def test_switched_on_again_they_are_redirected():
    redirect.revert()
    apps.get_app_config("turbo_orm").ready()

    assert django.db.models.query.sync_to_async is not asgiref.sync.sync_to_async
