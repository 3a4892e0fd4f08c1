"""What users of django-turbo-orm rely on: the model mixin, relations, bulk work, aggregates."""

import django
import pytest
from django.db.models import Sum

import turbo_orm
from tests.testapp.models import Article, Author, Person
from turbo_orm import AsyncModelMixin

pytestmark = pytest.mark.rolled_back


@pytest.fixture
async def ada():
    return await Author.objects.acreate(name="Ada", age=36)


@pytest.fixture
async def articles(ada):
    """Three articles of Ada's, of which Ed edited the first."""
    ed = await Author.objects.acreate(name="Ed", age=50)
    return await Article.objects.abulk_create(
        [
            Article(title="one", author=ada, editor=ed, views=1),
            Article(title="two", author=ada, views=2),
            Article(title="three", author=ada, views=3, is_published=False),
        ]
    )


def loaded(instance, relation):
    """What is cached of a relation; looking does not query."""
    return instance._state.fields_cache[relation]


def test_a_model_may_have_the_mixin_before_or_after_djangos_model():
    assert issubclass(Author, AsyncModelMixin)
    assert Person.__mro__.index(AsyncModelMixin) > Author.__mro__.index(AsyncModelMixin)


async def test_asave_inserts_a_new_instance():
    author = Author(name="New", age=1)
    await author.asave()

    assert await Author.objects.values_list("pk", "name", "age").aget() == (author.pk, "New", 1)


async def test_asave_updates_an_instance_that_was_saved(ada):
    ada.name, ada.age = "Ada L.", 37
    await ada.asave()

    assert await Author.objects.values_list("pk", "name", "age").aget() == (ada.pk, "Ada L.", 37)


async def test_asave_with_update_fields_writes_only_those(ada):
    ada.name, ada.age = "unwritten", 37
    await ada.asave(update_fields=["age"])

    assert await Author.objects.values_list("name", "age").aget() == ("Ada", 37)


async def test_adelete_removes_the_row_and_the_primary_key(ada):
    deleted = await ada.adelete()

    assert deleted == (1, {"testapp.Author": 1})
    assert ada.pk is None
    assert await Author.objects.aexists() is False


async def test_arefresh_from_db_reads_every_field_again(ada):
    await Author.objects.aupdate(name="Changed", age=99)
    await ada.arefresh_from_db()

    assert (ada.name, ada.age) == ("Changed", 99)


async def test_arefresh_from_db_with_fields_reads_only_those(ada):
    await Author.objects.aupdate(name="Changed", age=99)
    await ada.arefresh_from_db(fields=["age"])

    assert (ada.name, ada.age) == ("Ada", 99)


async def test_arefresh_from_db_of_a_deleted_row_raises_does_not_exist(ada):
    await Author.objects.adelete()

    with pytest.raises(Author.DoesNotExist):
        await ada.arefresh_from_db()


async def test_select_related_loads_the_foreign_key_with_the_row(articles, ada):
    article = await Article.objects.select_related("author").aget(title="one")

    assert loaded(article, "author") == ada


async def test_select_related_gives_none_for_a_null_foreign_key(articles):
    article = await Article.objects.select_related("editor").aget(title="two")

    assert loaded(article, "editor") is None
    assert article.editor is None


async def test_select_related_can_be_combined_with_filter(articles):
    found = await Article.objects.select_related("author").filter(author__age=36, views=2).alist()

    assert [(a.title, loaded(a, "author").name) for a in found] == [("two", "Ada")]


async def test_aget_honours_select_related(articles):
    article = await Article.objects.select_related("author", "editor").aget(views=1)

    assert (loaded(article, "author").name, loaded(article, "editor").name) == ("Ada", "Ed")


async def test_prefetch_related_fills_a_reverse_relation(articles):
    ada = await Author.objects.prefetch_related("articles").aget(name="Ada")
    prefetched = ada._prefetched_objects_cache["articles"]

    assert len(prefetched) == 3
    assert list(prefetched) == articles


async def test_prefetch_related_of_nothing_is_empty(ada):
    found = await Author.objects.prefetch_related("articles").aget()
    prefetched = found._prefetched_objects_cache["articles"]

    assert len(prefetched) == 0
    assert list(prefetched) == []


async def test_prefetch_related_fills_a_forward_relation(articles, ada):
    found = await Article.objects.prefetch_related("author").alist()

    assert [loaded(article, "author") for article in found] == [ada] * 3


async def test_abulk_update_writes_one_field(articles):
    for article in articles:
        article.views *= 10

    assert await Article.objects.abulk_update(articles, ["views"]) == 3
    assert [a.views async for a in Article.objects.all()] == [10, 20, 30]


async def test_abulk_update_writes_several_fields_and_no_other(articles):
    for article in articles:
        article.title, article.views, article.is_published = article.title.upper(), 0, False

    assert await Article.objects.abulk_update(articles, ["title", "views"]) == 3
    assert [row async for row in Article.objects.values_list("title", "views", "is_published")] == [
        ("ONE", 0, True),
        ("TWO", 0, True),
        ("THREE", 0, False),
    ]


async def test_abulk_update_of_nothing_gives_zero():
    assert await Article.objects.abulk_update([], ["views"]) == 0


async def test_aupdate_or_create_makes_what_is_missing():
    made, created = await Author.objects.aupdate_or_create(name="Zoe", defaults={"age": 5})

    assert created is True
    assert await Author.objects.values_list("pk", "name", "age").aget() == (made.pk, "Zoe", 5)


async def test_aupdate_or_create_changes_what_is_there(ada):
    found, created = await Author.objects.aupdate_or_create(name="Ada", defaults={"age": 5})

    assert (created, found.pk, found.age) == (False, ada.pk, 5)
    assert await Author.objects.values_list("age", flat=True).aget() == 5


@pytest.mark.skipif(django.VERSION < (5, 0), reason="create_defaults came with Django 5.0")
async def test_create_defaults_replace_defaults_as_in_django():
    made, created = await Author.objects.aupdate_or_create(
        name="Zoe", defaults={"age": 5}, create_defaults={"name": "Zoe the first"}
    )

    assert (created, made.name, made.age) == (True, "Zoe the first", 0)


async def test_aaggregate_sums(articles):
    assert await Article.objects.aaggregate(total=Sum("views")) == {"total": 6}


async def test_aaggregate_honours_a_filter(articles):
    published = Article.objects.filter(is_published=True)

    assert await published.aaggregate(total=Sum("views")) == {"total": 3}


async def test_aaggregate_of_nothing_gives_none():
    assert await Article.objects.aaggregate(total=Sum("views")) == {"total": None}


async def test_async_for_honours_select_related(articles):
    found = [loaded(a, "author").name async for a in Article.objects.select_related("author")]

    assert found == ["Ada", "Ada", "Ada"]


async def test_afirst_honours_select_related(articles):
    article = await Article.objects.select_related("editor").afirst()

    assert loaded(article, "editor").name == "Ed"


async def test_select_related_takes_several_relations(articles):
    rows = await Article.objects.select_related("author", "editor").alist()

    assert [(loaded(a, "author").name, loaded(a, "editor") and a.editor.name) for a in rows] == [
        ("Ada", "Ed"),
        ("Ada", None),
        ("Ada", None),
    ]


def test_the_mixin_is_a_public_name():
    assert turbo_orm.AsyncModelMixin is AsyncModelMixin
    assert "AsyncModelMixin" in turbo_orm.__all__
