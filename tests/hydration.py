"""Compare generated row-to-object functions with Django's own iterables."""

import datetime as dt

import django
from django.db import connection, connections, models
from django.db.models.sql.compiler import SQLCompiler

from tests.testapp import models as testapp
from tests.testapp.models import (
    Article,
    Author,
    Comment,
    Event,
    Friendship,
    Person,
    Place,
    Plain,
    Profile,
    Ranged,
    Restaurant,
    Special,
    Tag,
    Word,
)
from turbo_orm.plan.hydrate import make_hydrator

SINCE_61 = django.VERSION >= (6, 1)


class Isolated(models.Model):
    """The base of classes that have no tables, made with ``isolate_apps``."""

    class Meta:
        abstract = True
        app_label = "testapp"


class Custom(Isolated):
    """Has two columns, to which a test adds code."""

    name = models.TextField()

    class Meta(Isolated.Meta):
        abstract = True


def compiled(queryset):
    compiler = queryset.query.get_compiler(queryset.db)
    return compiler, *compiler.as_sql()


def fetched(queryset):
    """Return the rows as psycopg gives them."""
    with connection.cursor() as cursor:
        _, sql, params = compiled(queryset)
        cursor.execute(sql, params)
        return cursor.fetchall()


def hydrator_of(queryset, **kwargs):
    compiler, *_ = compiled(queryset)
    kwargs.setdefault("fields", queryset._fields)
    return make_hydrator(compiler, queryset._iterable_class, queryset.model, **kwargs)


def hydrated(queryset, rows, hydrator=None):
    hydrator = hydrator or hydrator_of(queryset)
    assert hydrator is not None
    known = queryset._known_related_objects
    fetch_mode = getattr(queryset, "_fetch_mode", None)
    return hydrator(rows, queryset.db, known, fetch_mode, connections[queryset.db])


def djangos(queryset, rows, monkeypatch):
    """Return what Django's iterable gives for the rows."""
    execute, unread = SQLCompiler.execute_sql, [rows]

    def give(self, *args, **kwargs):
        if not unread:  # a query for what was deferred
            return execute(self, *args, **kwargs)
        self.as_sql()
        end = self.col_count if self.has_extra_select else None
        return [[row[:end] for row in unread.pop()]]

    with monkeypatch.context() as patch:
        patch.setattr(SQLCompiler, "execute_sql", give)
        return list(queryset._iterable_class(queryset))


def shown(value, seen=None):
    """Return everything that can be told of a value, as something that compares by value."""
    seen = {} if seen is None else seen
    if isinstance(value, models.Model):
        if id(value) in seen:
            return ("again", seen[id(value)])
        seen[id(value)] = len(seen)
        plain = [(k, shown(v, seen)) for k, v in vars(value).items() if k != "_state"]
        return (type(value), list(vars(value)), plain, shown_state(value._state, seen))
    if isinstance(value, dict):
        return (dict, [(k, shown(v, seen)) for k, v in value.items()])
    if isinstance(value, list | tuple):
        return (type(value), [shown(each, seen) for each in value])
    return (type(value), value)


def shown_state(state, seen):
    told = dict(vars(state))
    if (peers := told.pop("peers", None)) is not None:
        # The list is shared by all: say only who is on it.
        told["peers"] = [type(peer()) for peer in peers]
    return (type(state), {key: shown(told[key], seen) for key in sorted(told)})


def assert_same(queryset, rows, monkeypatch):
    expected = shown(djangos(queryset, rows, monkeypatch))  # now: known objects are told of them
    got = hydrated(queryset, rows)
    assert type(got) is list
    assert shown(got) == expected
    return got


def insert_rows():
    """Insert some of everything."""
    connection.close()  # it may be older than the extensions whose types it must know
    ada = Author.objects.create(name="Ada", age=36)
    bob = Author.objects.create(name="Bob", age=40)
    Author.objects.create(name="Eve")
    Profile.objects.create(author=ada, bio="Countess")
    tags = [Tag.objects.create(name=name) for name in ("x", "y")]
    for number in range(3):
        article = Article.objects.create(
            title=f"a{number}",
            author=(ada, bob)[number % 2],
            editor=bob if number == 1 else None,
            views=number,
            metadata={"n": [number, None]},
        )
        article.tags.set(tags[: number % 2 + 1])
        Comment.objects.create(text="c", content_object=article)
    Place.objects.create(name="a mere place")
    Restaurant.objects.create(name="Ritz", stars=3)
    one, other = (Person.objects.create(name=name) for name in ("P", "Q"))
    Friendship.objects.create(one=one, other=other)
    root = Plain.objects.create(name="root")
    Plain.objects.create(name="leaf", parent=root)
    Special.objects.create(attributes={"a": "1", "b": None}, numbers=[1, 2])
    Ranged.objects.create()
    Word.objects.create(text="w", variants=["v"])
    moment = dt.datetime(2024, 5, 6, 7, tzinfo=dt.timezone.utc)
    Event.objects.create(name="e", day=moment.date(), at=moment)
    if django.VERSION >= (5, 0):
        testapp.Computed.objects.create(number=4)
