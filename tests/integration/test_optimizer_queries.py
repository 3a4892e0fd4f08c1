"""The optimiser makes no query more than Django alone, and finds the same objects."""

import pytest
from django.db import models
from django.test.utils import isolate_apps

from tests.fetching import asked, fill
from tests.testapp.models import Article, Author, Tag
from turbo_orm import AsyncManager, AsyncModel
from turbo_orm.query import optimize
from turbo_orm.query.optimizer.needs import need_of

pytestmark = pytest.mark.rolled_back


@pytest.fixture(autouse=True)
def learnt_anew():
    """Forget what is known of models whose managers the tests replace."""
    need_of.cache_clear()
    yield
    need_of.cache_clear()


@pytest.fixture
def related():
    """Two models over tables that exist, related by columns that are no key."""
    with isolate_apps("tests.testapp"):

        class Owner(AsyncModel):
            name = models.CharField(max_length=100)
            age = models.IntegerField()
            objects = AsyncManager()

            class Meta:
                app_label = "testapp"
                db_table = "testapp_author"

        class Piece(AsyncModel):
            title = models.CharField(max_length=200)
            views = models.IntegerField()
            is_published = models.BooleanField()
            owner = models.ForeignObject(
                Owner,
                models.CASCADE,
                from_fields=["views"],
                to_fields=["age"],
                related_name="pieces",
            )
            objects = AsyncManager()

            class Meta:
                app_label = "testapp"
                db_table = "testapp_article"

        yield Owner, Piece


def of_owners(rows):
    return [(row.name, [piece.title for piece in row.pieces.all()]) for row in rows]


def of_pieces(rows):
    return [(row.title, row.owner.name) for row in rows]


@pytest.mark.parametrize(
    ("read", "position", "paths", "most"),
    [(of_owners, 0, ["name", "pieces.title"], 2), (of_pieces, 1, ["title", "owner.name"], 1)],
)
async def test_a_relation_by_columns_that_are_no_key_keeps_them(
    related, read, position, paths, most
):
    await fill(3)
    for number in range(3):
        await Article.objects.filter(title=f"title{number}").aupdate(views=number)
    rows = related[position].objects.order_by("pk")

    judged, statements = await asked(lambda: read(rows))
    found, ours = await asked(lambda: read(optimize(rows.all(), paths)))

    assert found == judged
    assert len(ours) == most < len(statements)


class Hiding(AsyncManager):
    def get_queryset(self):
        return super().get_queryset().exclude(name="author1")


async def test_an_object_that_the_base_manager_hides_is_not_joined(monkeypatch):
    await fill(3)
    manager = Hiding()
    manager.model, manager.name = Author, "objects"
    monkeypatch.setitem(Author._meta.__dict__, "base_manager", manager)

    def read(rows):
        return [(row.title, author_of(row)) for row in rows]

    def author_of(row):
        try:
            return row.author.name
        except Author.DoesNotExist:
            return None

    rows = Article.objects.order_by("pk")
    judged, statements = await asked(lambda: read(rows))
    found, ours = await asked(lambda: read(optimize(rows.all(), ["title", "author.name"])))

    assert judged[1] == ("title1", None)
    assert found == judged
    assert len(ours) <= len(statements)


class Sorted(AsyncManager):
    def all(self):
        return super().all().order_by("-name")


async def test_rows_that_a_manager_asks_for_anew_are_not_prefetched(monkeypatch):
    await fill(3)
    manager = Sorted()
    manager.model, manager.name = Tag, "objects"
    monkeypatch.setitem(Tag._meta.__dict__, "default_manager", manager)
    descriptor = vars(Article)["tags"]
    monkeypatch.setitem(descriptor.__dict__, "related_manager_cls", None)
    del descriptor.__dict__["related_manager_cls"]

    def read(rows):
        return [[tag.name for tag in row.tags.all()] for row in rows]

    rows = Article.objects.order_by("pk")
    judged, statements = await asked(lambda: read(rows))
    found, ours = await asked(lambda: read(optimize(rows.all(), ["title", "tags.name"])))

    assert found == judged == [["tag2", "tag1", "tag0"]] * 3
    assert len(ours) == len(statements)
