"""Managers: custom querysets, subclasses, what Django hides and what it shows."""

import inspect
import pickle

import pytest
from django.db import models
from django.db.models import Manager, QuerySet

from tests.testapp.models import Article, ArticleQuerySet, Author, Tag
from turbo_orm import AsyncManager, AsyncQuerySet
from turbo_orm.query.queryset import TERMINALS

pytestmark = pytest.mark.rolled_back


class LoudQuerySet(AsyncQuerySet):
    def loud(self):
        return self.filter(name__endswith="!")

    def count(self):
        return super().count() * 100

    async def aloud_names(self):
        return [tag.name async for tag in self.loud()]


class LoudManager(AsyncManager.from_queryset(LoudQuerySet)):
    def get_queryset(self):
        return super().get_queryset().exclude(name="hidden")


@pytest.fixture
def loud():
    manager = LoudManager()
    manager.model = Tag
    return manager


@pytest.fixture
async def tags():
    return await Tag.objects.abulk_create([Tag(name="quiet"), Tag(name="hey!"), Tag(name="hidden")])


def test_a_manager_is_djangos_manager_too():
    assert issubclass(AsyncManager, Manager)
    assert issubclass(AsyncQuerySet, QuerySet)


@pytest.mark.parametrize("name", [*TERMINALS, "aiterator", "alist", "araw"])
def test_the_manager_has_every_awaitable_method_with_its_signature(name):
    def parameters(owner):
        return list(inspect.signature(getattr(owner, name)).parameters)

    assert parameters(AsyncManager) == parameters(AsyncQuerySet)


@pytest.mark.parametrize("name", [name for name in dir(Manager) if not name.startswith("_")])
def test_the_manager_has_every_public_name_of_djangos(name):
    assert hasattr(AsyncManager, name)


def test_django_hides_the_synchronous_delete_and_we_do_too():
    assert not hasattr(Author.objects, "delete")


async def test_a_custom_querysets_methods_are_on_its_manager(loud, tags):
    assert [tag.name for tag in await loud.loud().alist()] == ["hey!"]
    assert await loud.aloud_names() == ["hey!"]


async def test_a_managers_own_queryset_is_what_everything_starts_from(loud, tags):
    assert await loud.order_by("pk").values_list("name", flat=True).alist() == ["quiet", "hey!"]
    assert await loud.aget(name="quiet") == tags[0]


async def test_an_overridden_synchronous_method_is_honoured_by_its_awaitable_form(loud, tags):
    assert await loud.acount() == 200
    assert await loud.loud().acount() == 100


async def test_as_manager_makes_an_async_manager():
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.acreate(title="draft", author=author, is_published=False)
    shown = await Article.objects.acreate(title="shown", author=author)

    assert isinstance(Article.as_manager, AsyncManager)
    assert await Article.as_manager.published().alist() == [shown]
    assert await author.articles.published().alist() == [shown]


def test_as_manager_is_not_on_the_manager():
    assert not hasattr(AsyncManager, "as_manager")


def test_from_queryset_names_its_class():
    assert AsyncManager.from_queryset(LoudQuerySet).__name__ == "AsyncManagerFromLoudQuerySet"
    assert AsyncManager.from_queryset(LoudQuerySet, "Named").__name__ == "Named"


def test_from_queryset_refuses_djangos_own_queryset():
    class Theirs(QuerySet):
        pass

    with pytest.raises(TypeError, match="make Theirs a subclass of"):
        AsyncManager.from_queryset(Theirs)


@pytest.mark.parametrize(
    ("manager", "path"),
    [
        (AsyncManager(), ("turbo_orm.models.AsyncManager", None)),
        (ArticleQuerySet.as_manager(), (None, "tests.testapp.models.ArticleQuerySet")),
    ],
)
def test_managers_deconstruct_for_migrations(manager, path):
    as_manager, manager_path, queryset_path, args, kwargs = manager.deconstruct()

    assert (manager_path, queryset_path) == path
    assert as_manager is (path[0] is None)
    assert (args or (), kwargs or {}) == ((), {})


def test_managers_compare_and_hash_like_djangos():
    assert AsyncManager() == AsyncManager()
    assert AsyncManager() != LoudManager()


def test_a_related_manager_has_the_related_models_methods():
    manager = Author(pk=1).articles

    assert isinstance(manager, AsyncManager)
    assert type(manager.all()) is ArticleQuerySet


def test_the_classes_can_be_pickled():
    assert pickle.loads(pickle.dumps([AsyncManager, AsyncQuerySet])) == [
        *(AsyncManager, AsyncQuerySet)
    ]


@pytest.mark.commits
async def test_db_manager_chooses_the_database():
    await Tag.objects.db_manager("other").acreate(name="there")

    assert await Tag.objects.acount() == 0
    assert await Tag.objects.db_manager("other").alist() == [
        await Tag.objects.using("other").aget()
    ]


async def test_the_manager_reads_and_writes_all_rows(tags):
    assert await Tag.objects.alist() == tags
    assert await Author.objects.aupdate(age=1) == 0
    assert await Tag.objects.adelete() == (3, {"testapp.Tag": 3})


def test_a_plain_manager_of_a_model_beside_ours_stays_plain():
    class Both(models.Model):
        plain = Manager()
        ours = AsyncManager()

        class Meta:
            app_label = "elsewhere"
            managed = False

    assert type(Both.plain.all()) is QuerySet
    assert type(Both.ours.all()) is AsyncQuerySet
