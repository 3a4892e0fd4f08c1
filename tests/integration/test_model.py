"""Instances: saving, deleting, refreshing, validating, and their neighbours in time."""

import inspect

import django
import pytest
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DatabaseError, DataError, IntegrityError, connection, models
from django.db.models import F
from django.db.models.signals import post_save, pre_save
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import (
    Article,
    Author,
    Event,
    Person,
    Place,
    Profile,
    Restaurant,
    Shouted,
    Tag,
)
from turbo_orm import AsyncModel, AsyncModelMixin, atomic, run_sync
from turbo_orm.patches import redirect

pytestmark = pytest.mark.rolled_back


@pytest.fixture
async def ada():
    return await Author.objects.acreate(name="Ada", age=36)


async def stored():
    return await Author.objects.order_by("pk").values_list("name", "age").alist()


@pytest.mark.parametrize("name", ["asave", "adelete", "arefresh_from_db"])
def test_each_method_has_djangos_signature_and_docstring(name):
    ours, theirs = getattr(AsyncModelMixin, name), getattr(models.Model, name)

    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours.__doc__ == theirs.__doc__


def test_afull_clean_has_the_parameters_of_full_clean():
    def parameters(function):
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    assert parameters(AsyncModelMixin.afull_clean) == parameters(models.Model.full_clean)


def test_the_base_model_is_abstract():
    assert AsyncModel._meta.abstract is True


async def test_asave_with_update_fields_of_no_field_writes_nothing(ada):
    ada.name = "unwritten"

    with CaptureQueriesContext(connection) as queries:
        await ada.asave(update_fields=[])

    assert len(queries) == 0


@pytest.mark.commits
async def test_asave_with_force_insert_does_not_update(ada):
    with pytest.raises(IntegrityError):
        await Author(pk=ada.pk, name="again").asave(force_insert=True)

    assert await stored() == [("Ada", 36)]


@pytest.mark.commits
async def test_asave_with_force_update_does_not_insert():
    with pytest.raises(DatabaseError, match="Forced update did not affect any rows"):
        await Author(pk=5, name="nobody").asave(force_update=True)

    assert await stored() == []


@pytest.mark.commits
async def test_asave_using_an_alias_writes_there():
    author = Author(name="there")
    await author.asave(using="other")

    assert await stored() == []
    assert (await Author.objects.using("other").aget()).pk == author.pk
    assert author._state.db == "other"


async def test_asave_takes_expressions(ada):
    ada.age = F("age") + 1
    await ada.asave()
    await ada.arefresh_from_db()

    assert ada.age == 37


async def test_asave_sends_signals_and_sets_automatic_fields(ada):
    seen = []

    def receiver(sender, instance, signal, created=None, update_fields=None, **kwargs):
        seen.append((signal is pre_save, instance.title, created, update_fields))

    for signal in (pre_save, post_save):
        signal.connect(receiver, sender=Article)
    try:
        article = Article(title="t", author=ada)
        await article.asave()
        await article.asave(update_fields=["title"])
    finally:
        for signal in (pre_save, post_save):
            signal.disconnect(receiver, sender=Article)

    only = frozenset(["title"])
    assert seen == [
        *((True, "t", None, None), (False, "t", True, None)),
        *((True, "t", None, only), (False, "t", False, only)),
    ]
    assert article.created is not None


async def test_asave_honours_an_overridden_save():
    shouted = Shouted(text="hey")
    await shouted.asave()
    await shouted.arefresh_from_db()

    assert shouted.text == "HEY"


async def test_asave_of_an_inherited_model_writes_every_table():
    restaurant = Restaurant(name="Chez", stars=1)
    await restaurant.asave()
    restaurant.name, restaurant.stars = "Bei", 2
    await restaurant.asave()

    assert await Place.objects.values_list("pk", "name").alist() == [(restaurant.pk, "Bei")]
    assert await Restaurant.objects.values_list("stars", flat=True).alist() == [2]
    assert await (await Place.objects.aget()).afetch("restaurant") == restaurant


async def test_adelete_counts_what_it_took_along(ada):
    await Profile.objects.acreate(author=ada)
    await Article.objects.acreate(title="one", author=ada)

    assert await ada.adelete() == (
        3,
        {"testapp.Profile": 1, "testapp.Article": 1, "testapp.Author": 1},
    )


async def test_adelete_can_keep_parents():
    restaurant = await Restaurant.objects.acreate(name="Chez", stars=1)

    assert await restaurant.adelete(keep_parents=True) == (1, {"testapp.Restaurant": 1})
    assert await Place.objects.acount() == 1


@pytest.mark.commits
async def test_adelete_using_an_alias_deletes_there():
    author = Author(name="there")
    await author.asave(using="other")

    assert await author.adelete(using="other") == (1, {"testapp.Author": 1})


async def test_adelete_of_an_unsaved_instance_raises_value_error():
    with pytest.raises(
        ValueError, match="can't be deleted because its id attribute is set to None"
    ):
        await Author(name="new").adelete()


async def test_arefresh_from_db_reads_fields_by_name(ada):
    await Author.objects.aupdate(name="Changed", age=99)
    await ada.arefresh_from_db(None, ["name"])

    assert (ada.name, ada.age) == ("Changed", 36)


async def test_arefresh_from_db_forgets_cached_relations(ada):
    article = await Article.objects.acreate(title="one", author=ada)
    bob = await Author.objects.acreate(name="Bob")
    await Article.objects.aupdate(author=bob)
    await article.arefresh_from_db()

    assert await article.afetch("author") == bob


@pytest.mark.commits
async def test_arefresh_from_db_using_an_alias_reads_there(ada):
    await Author(pk=ada.pk, name="there").asave(using="other")
    await ada.arefresh_from_db(using="other")

    assert (ada.name, ada._state.db) == ("there", "other")


@pytest.mark.skipif(django.VERSION < (5, 1), reason="from_queryset came with Django 5.1")
async def test_arefresh_from_db_reads_from_a_given_queryset(ada):
    article = await Article.objects.acreate(title="one", author=ada)

    with CaptureQueriesContext(connection) as queries:
        await article.arefresh_from_db(from_queryset=Article.objects.select_related("author"))
        assert article.author == ada

    assert len(queries) == 1
    with pytest.raises(Article.DoesNotExist):
        await article.arefresh_from_db(from_queryset=Article.objects.filter(views=99))


async def test_arefresh_from_db_loads_a_deferred_field(ada):
    author = await Author.objects.only("pk").aget()
    await author.arefresh_from_db(fields=["age"])

    assert (author.age, author.get_deferred_fields()) == (36, {"name"})


async def test_arefresh_from_db_of_an_unknown_field_raises_as_in_django(ada):
    with pytest.raises(FieldDoesNotExist):
        await ada.arefresh_from_db(fields=["nonsense"])


async def test_afull_clean_finds_a_value_that_is_taken():
    await Tag.objects.acreate(name="x")

    with pytest.raises(ValidationError) as raised:
        await Tag(name="x").afull_clean()

    assert raised.value.message_dict == {"name": ["Tag with this Name already exists."]}


async def test_afull_clean_can_leave_out_fields_and_uniqueness():
    await Tag.objects.acreate(name="x")

    await Tag(name="x").afull_clean(validate_unique=False)
    await Tag(name="x").afull_clean(exclude={"name"})


async def test_afull_clean_finds_a_relation_that_is_missing():
    with pytest.raises(ValidationError) as raised:
        await Article(title="one", author_id=12345).afull_clean()

    assert list(raised.value.message_dict) == ["author"]


async def test_neighbours_in_time_are_awaited():
    days = ("2020-01-01", "2020-01-02", "2020-01-03")
    first, second, third = [
        await Event.objects.acreate(name=day, day=day, at=f"{day}T00:00:00Z") for day in days
    ]
    await second.arefresh_from_db()

    assert await second.aget_next_by_at() == third
    assert await second.aget_previous_by_at() == first
    assert await second.aget_next_by_day() == third
    assert await second.aget_previous_by_day(name__startswith="2020") == first
    with pytest.raises(Event.DoesNotExist):
        await second.aget_next_by_day(name="none")


def test_fields_without_dates_have_no_neighbours():
    assert [name for name in dir(Author) if name.startswith("aget_")] == []
    assert [name for name in dir(Article) if name.startswith("aget_")] == [
        "aget_next_by_created",
        "aget_previous_by_created",
    ]


async def test_a_neighbour_method_that_a_model_overrides_is_honoured(monkeypatch):
    monkeypatch.setattr(Event, "get_next_by_at", lambda self, **kwargs: (self.name, kwargs))

    assert await Event(name="me").aget_next_by_at(name="x") == ("me", {"name": "x"})


async def test_a_mixin_behind_the_model_gives_the_same_methods():
    person = Person(name="ann")
    await person.afull_clean()
    await person.asave()
    await Person.objects.aupdate(name="Ann")
    await person.arefresh_from_db()

    assert person.name == "Ann"
    assert await person.adelete() == (1, {"testapp.Person": 1})


async def test_a_mixin_behind_the_model_needs_no_redirects():
    redirect.revert()
    try:
        person = Person(name="ann")
        await person.asave()
        await person.arefresh_from_db()
        await person.adelete()
    finally:
        redirect.apply()

    assert person.pk is None


@pytest.mark.commits
async def test_database_errors_are_djangos(ada):
    ada.name = "x" * 101
    with pytest.raises(DataError):
        await ada.asave()
    with pytest.raises(IntegrityError):
        await Profile(author_id=999).asave()

    assert await stored() == [("Ada", 36)]


async def test_an_error_in_a_block_breaks_the_block_as_in_django(ada):
    from django.db.transaction import TransactionManagementError

    with pytest.raises(TransactionManagementError, match="An error occurred in the current"):
        async with atomic():
            with pytest.raises(DataError):
                await Author(name="x" * 101).asave()
            await ada.arefresh_from_db()


async def test_instances_saved_in_the_bridge_and_awaited_are_the_same_rows(ada):
    await run_sync(Author(name="Sync").save)

    assert await stored() == [("Ada", 36), ("Sync", 0)]
