"""What users of django-turbo-orm rely on: querysets, the manager, reading and writing."""

import importlib

import pytest

from tests.testapp.models import Author
from turbo_orm import AsyncManager, AsyncQuerySet

pytestmark = pytest.mark.rolled_back

PUBLIC = (
    *("AsyncManager", "AsyncModelMixin", "AsyncQuerySet", "EmptyResultSet", "TurboOrmError"),
    "__version__",
)


@pytest.fixture
async def authors():
    """Three authors, whose names and ages sort in opposite directions."""
    return await Author.objects.abulk_create(
        [Author(name="Ada", age=36), Author(name="Bob", age=25), Author(name="Cyd", age=19)]
    )


def names(found):
    return [author.name for author in found]


def assert_new(queryset, base):
    assert type(queryset) is AsyncQuerySet
    assert queryset is not base
    assert queryset.query is not base.query


def test_filter_gives_a_new_queryset():
    base = Author.objects.all()

    assert_new(base.filter(age=1), base)
    assert not base.query.where


def test_exclude_gives_a_new_queryset():
    base = Author.objects.all()

    assert_new(base.exclude(age=1), base)
    assert not base.query.where


def test_order_by_gives_a_new_queryset():
    base = Author.objects.all()

    assert_new(base.order_by("name"), base)
    assert base.query.order_by == ()


def test_all_gives_a_new_queryset():
    base = Author.objects.all()

    assert_new(base.all(), base)


def test_distinct_gives_a_new_queryset():
    base = Author.objects.all()

    assert_new(base.distinct(), base)
    assert base.query.distinct is False


def test_a_slice_gives_a_new_queryset():
    base = Author.objects.all()

    assert_new(base[1:3], base)
    assert base.query.is_sliced is False


async def test_chained_calls_add_up(authors):
    chained = Author.objects.filter(age__gt=18).exclude(name="Bob").order_by("age")[:5]

    assert names(await chained.alist()) == ["Cyd", "Ada"]


async def test_a_derived_queryset_has_the_condition_and_its_origin_has_not(authors):
    base = Author.objects.order_by("pk")
    derived = base.filter(name="Ada")

    assert names(await derived.alist()) == ["Ada"]
    assert names(await base.alist()) == ["Ada", "Bob", "Cyd"]


def test_the_manager_is_attached_to_its_model():
    assert isinstance(Author.objects, AsyncManager)
    assert Author.objects.model is Author


def test_the_manager_gives_a_queryset_of_all_rows():
    assert type(Author.objects.all()) is AsyncQuerySet
    assert Author.objects.all().model is Author


def test_an_instance_has_no_manager():
    with pytest.raises(AttributeError, match="isn't accessible via Author instances"):
        _ = Author().objects


def test_filter_of_the_manager_gives_a_queryset():
    assert type(Author.objects.filter(age=1)) is AsyncQuerySet


def test_exclude_of_the_manager_gives_a_queryset():
    assert type(Author.objects.exclude(age=1)) is AsyncQuerySet


def test_order_by_of_the_manager_gives_a_queryset():
    assert type(Author.objects.order_by("age")) is AsyncQuerySet


async def test_aget_gives_the_one_matching_instance(authors):
    found = await Author.objects.aget(name="Bob")

    assert (found.pk, found.name, found.age) == (authors[1].pk, "Bob", 25)


async def test_aget_raises_does_not_exist_when_nothing_matches(authors):
    with pytest.raises(Author.DoesNotExist):
        await Author.objects.aget(name="Nobody")


async def test_aget_raises_multiple_objects_returned_when_several_match(authors):
    with pytest.raises(Author.MultipleObjectsReturned):
        await Author.objects.aget(age__gt=20)


async def test_afirst_gives_the_first_in_order(authors):
    assert (await Author.objects.order_by("age").afirst()).name == "Cyd"


async def test_afirst_gives_none_when_nothing_matches():
    assert await Author.objects.afirst() is None


async def test_alast_gives_the_last_in_order_or_none(authors):
    assert (await Author.objects.order_by("age").alast()).name == "Ada"
    assert await Author.objects.filter(age=0).alast() is None


async def test_acount_gives_the_number_of_rows(authors):
    assert await Author.objects.acount() == 3
    assert await Author.objects.filter(age__lt=30).acount() == 2


async def test_aexists_tells_whether_a_row_matches(authors):
    assert await Author.objects.filter(name="Ada").aexists() is True
    assert await Author.objects.filter(name="Nobody").aexists() is False


async def test_alist_gives_a_list_of_instances(authors):
    found = await Author.objects.order_by("pk").alist()

    assert type(found) is list
    assert found == authors
    assert [type(author) for author in found] == [Author] * 3


async def test_async_for_gives_every_instance(authors):
    assert [author async for author in Author.objects.order_by("pk")] == authors


async def test_conditions_of_chained_filters_are_combined(authors):
    found = Author.objects.filter(age__gt=20).filter(age__lt=30)

    assert names(await found.alist()) == ["Bob"]


async def test_order_by_a_field_sorts_ascending(authors):
    assert names(await Author.objects.order_by("age").alist()) == ["Cyd", "Bob", "Ada"]


async def test_order_by_a_field_with_a_minus_sorts_descending(authors):
    assert names(await Author.objects.order_by("-name").alist()) == ["Cyd", "Bob", "Ada"]


async def test_a_slice_limits_the_rows(authors):
    assert names(await Author.objects.order_by("name")[:2].alist()) == ["Ada", "Bob"]


async def test_a_slice_skips_rows(authors):
    assert names(await Author.objects.order_by("name")[1:3].alist()) == ["Bob", "Cyd"]


async def test_acreate_gives_an_instance_with_a_primary_key_that_can_be_read_back():
    made = await Author.objects.acreate(name="Dan", age=40)

    assert isinstance(made.pk, int)
    assert (await Author.objects.aget(pk=made.pk)).name == "Dan"


async def test_aupdate_gives_the_count_and_changes_only_what_matches(authors):
    assert await Author.objects.filter(age__lt=30).aupdate(age=30) == 2
    assert [a.age async for a in Author.objects.order_by("pk")] == [36, 30, 30]


async def test_adelete_gives_count_and_details_and_leaves_the_other_rows(authors):
    deleted = await Author.objects.filter(name="Bob").adelete()

    assert deleted == (1, {"testapp.Author": 1})
    assert names(await Author.objects.order_by("pk").alist()) == ["Ada", "Cyd"]


async def test_aget_or_create_makes_what_is_missing():
    made, created = await Author.objects.aget_or_create(name="Eve", defaults={"age": 7})

    assert (created, made.name, made.age) == (True, "Eve", 7)
    assert await Author.objects.acount() == 1


async def test_aget_or_create_gives_what_is_there_unchanged(authors):
    found, created = await Author.objects.aget_or_create(name="Ada", defaults={"age": 7})

    assert (created, found.pk, found.age) == (False, authors[0].pk, 36)
    assert await Author.objects.acount() == 3


async def test_abulk_create_sets_every_primary_key():
    made = await Author.objects.abulk_create([Author(name="x"), Author(name="y")])

    assert len({author.pk for author in made} - {None}) == 2
    assert names(await Author.objects.order_by("pk").alist()) == ["x", "y"]


async def test_ain_bulk_gives_a_dictionary_by_primary_key(authors):
    assert await Author.objects.ain_bulk() == {author.pk: author for author in authors}


def test_the_names_of_the_seed_package_can_be_imported():
    package = importlib.import_module("turbo_orm")

    assert [name for name in PUBLIC if not hasattr(package, name)] == []
    assert issubclass(package.EmptyResultSet, package.TurboOrmError)
    assert issubclass(package.TurboOrmError, Exception)
    assert isinstance(package.__version__, str)
