"""Generated row-to-object functions and related objects that the caller knows already."""

import pytest
from django.db import models, router
from django.test.utils import isolate_apps

from tests.hydration import (
    Custom,
    Isolated,
    assert_same,
    djangos,
    fetched,
    hydrated,
    hydrator_of,
    insert_rows,
)
from tests.testapp.models import Article, Author, Tag

pytestmark = pytest.mark.rolled_back


@pytest.fixture
def data():
    insert_rows()


class Router:
    def allow_relation(self, one, other, **hints):
        return True


@pytest.fixture
def with_router(monkeypatch):
    return lambda: monkeypatch.setattr(router, "routers", [Router()])


def purely(queryset, known=None):
    known = queryset._known_related_objects if known is None else known
    return hydrator_of(queryset).pure_with(known, "default")


@pytest.mark.commits
def test_known_objects_may_run_the_projects_code(data, with_router, monkeypatch):
    queryset = Author.objects.get(name="Ada").articles.all()
    assert purely(queryset)

    with_router()
    assert not purely(queryset)
    assert purely(queryset, {})
    assert_same(queryset, fetched(queryset), monkeypatch)


@pytest.mark.commits
def test_known_objects_may_need_queries(data, monkeypatch):
    ada = Author.objects.get(name="Ada")
    queryset = ada.articles.only("title")
    assert not purely(queryset)

    field, rows = Article._meta.get_field("author"), fetched(ada.articles.all())
    for owner, pure in (
        (Author.objects.defer("name").get(pk=ada.pk), True),
        (Author(pk=ada.pk, name="unsaved"), False),
        (Author.from_db("default", ["name"], ["without key"]), False),
    ):
        queryset = Article.objects.all()
        queryset._known_related_objects = {field: {ada.pk: owner}}
        assert purely(queryset) == pure
        if "id" in vars(owner):
            assert_same(queryset, rows, monkeypatch)
    queryset = Author.objects.values("pk")
    assert purely(queryset, {field: {}})


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        (lambda: Author.from_db("other", ["id", "name", "age"], [1, "n", 2]), "router prevents"),
        (lambda: Tag.from_db("default", ["id", "name"], [1, "n"]), 'must be a "Author"'),
    ],
)
def test_known_objects_that_django_refuses(owner, message, monkeypatch):
    queryset = Article.objects.only("author")
    queryset._known_related_objects = {Article._meta.get_field("author"): {1: owner()}}
    for make in (
        lambda: djangos(queryset, [(1, 1)], monkeypatch),
        lambda: hydrated(queryset, [(1, 1)]),
    ):
        with pytest.raises(ValueError, match=message):
            make()


def test_a_known_object_gives_its_own_key(monkeypatch):
    class Key(int):
        pass

    owner = Author.from_db("default", ["id", "name", "age"], [Key(1), "n", 2])
    queryset = Article.objects.only("author", "editor")
    queryset._known_related_objects = {
        Article._meta.get_field("author"): {1: owner},
        Article._meta.get_field("editor"): {},
    }
    (first, second) = assert_same(queryset, [(1, 1, None), (2, 2, 2)], monkeypatch)
    assert first.author is owner
    assert type(first.author_id) is Key
    assert "author" not in second._state.fields_cache


@isolate_apps("tests.testapp")
def test_known_objects_of_other_relations(monkeypatch):
    class Target(Custom):
        other = models.IntegerField(default=1)

    class Several(Isolated):
        one = models.IntegerField()
        two = models.IntegerField()
        both = models.ForeignObject(
            Target, models.CASCADE, from_fields=["one", "two"], to_fields=["id", "other"]
        )
        single = models.OneToOneField(Target, models.CASCADE, related_name="single")

    target = Target.from_db("default", ["id", "name", "other"], [1, "n", 2])
    queryset = Several.objects.all()
    for name, key in (("both", (1, 2)), ("single", 7)):
        queryset._known_related_objects = {Several._meta.get_field(name): {key: target}}
        assert_same(queryset, [(1, 1, 2, 7), (2, 1, 3, 8)], monkeypatch)
        assert not purely(queryset)
