"""Generated row-to-object functions give what Django's own iterables give for the same rows."""

import datetime as dt

import django
import pytest
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, connections, models
from django.db.models import Avg, Count, ExpressionWrapper, F, FilteredRelation, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncDay, Upper
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


class GivenRows(SQLCompiler):
    """Django's compiler, with rows that need no database."""

    rows = []

    def execute_sql(self, *args, **kwargs):
        self.as_sql()
        end = self.col_count if self.has_extra_select else None
        return [[row[:end] for row in self.rows]]


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
    with monkeypatch.context() as patch:
        patch.setattr(
            SQLCompiler,
            "execute_sql",
            lambda self, *a, **k: GivenRows.execute_sql(self, *a, **k),
        )
        patch.setattr(SQLCompiler, "rows", rows, raising=False)
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
    expected = djangos(queryset, rows, monkeypatch)
    got = hydrated(queryset, rows)
    assert type(got) is list
    assert shown(got) == shown(expected)
    return got


@pytest.fixture
def data():
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


articles = Article.objects.order_by("pk")
QUERYSETS = {
    "plain": lambda: Author.objects.order_by("pk"),
    "djangos manager": lambda: Plain.objects.order_by("pk"),
    "foreign keys, JSON": lambda: articles,
    "empty": lambda: articles.filter(pk=-1),
    "surplus columns": lambda: Article.objects.order_by("author__name", "pk").distinct(),
    "postgres types": lambda: Special.objects.all(),
    "ranges": lambda: Ranged.objects.all(),
    "array of a custom field": lambda: Word.objects.all(),
    "dates": lambda: Event.objects.all(),
    "generic": lambda: Comment.objects.order_by("pk"),
    "auth": lambda: ContentType.objects.order_by("pk"),
    # -- deferred
    "only": lambda: articles.only("title"),
    "only foreign key": lambda: articles.only("editor"),
    "defer": lambda: articles.defer("metadata", "author"),
    "defer pk is ignored": lambda: articles.defer("pk"),
    # -- select_related
    "select_related": lambda: articles.select_related("author"),
    "nullable": lambda: articles.select_related("editor"),
    "all of them": lambda: articles.select_related(),
    "nested reverse": lambda: articles.select_related("author__profile", "editor__profile"),
    "reverse one-to-one": lambda: Author.objects.select_related("profile").order_by("pk"),
    "reverse and back": lambda: Author.objects.select_related("profile__author").order_by("pk"),
    "one-to-one": lambda: Profile.objects.select_related("author"),
    "self, nullable": lambda: Plain.objects.select_related("parent__parent").order_by("pk"),
    "related only": lambda: articles.select_related("author").only("title", "author__name"),
    "related defer": lambda: articles.select_related("author__profile").defer(
        "author__age", "author__profile__bio"
    ),
    "through": lambda: Friendship.objects.select_related("one", "other"),
    "content type": lambda: Comment.objects.select_related("content_type"),
    # -- inheritance
    "child": lambda: Restaurant.objects.all(),
    "child's parent": lambda: Restaurant.objects.select_related("place_ptr"),
    "child, only": lambda: Restaurant.objects.only("stars"),
    "child, only the parent's": lambda: Restaurant.objects.only("name"),
    "parent's child": lambda: Place.objects.select_related("restaurant").order_by("pk"),
    "parent's child, only": lambda: (
        Place.objects.select_related("restaurant").only("name", "restaurant__stars").order_by("pk")
    ),
    # -- annotations
    "annotation": lambda: articles.annotate(up=Upper("title")),
    "annotations": lambda: Author.objects.annotate(
        n=Count("articles"), mean=Avg("articles__views"), total=Sum("articles__views")
    ).order_by("pk"),
    "annotation named pk": lambda: Author.objects.extra(select={"pk": "age"}).order_by("id"),
    "annotation with related": lambda: articles.select_related("author", "editor").annotate(
        up=Upper("title"), who=F("author__name")
    ),
    "annotation of an array": lambda: Author.objects.annotate(
        titles=ArrayAgg("articles__title", ordering="articles__title")
    ).order_by("pk"),
    "annotation of JSON": lambda: articles.annotate(deep=F("metadata__n__0")),
    "annotation of a day": lambda: Event.objects.annotate(start=TruncDay("at")),
    "annotation of a decimal": lambda: articles.annotate(
        d=ExpressionWrapper(Value(1.5), output_field=models.DecimalField()),
        i=Coalesce("views", 0),
    ),
    "a name that is no identifier": lambda: Author.objects.annotate(**{"1ä-{b}\\": F("age")}),
    "a name that is a keyword": lambda: Author.objects.annotate(**{"class": F("age")}),
    "extra": lambda: Author.objects.extra(select={"double": "age * 2"}).order_by("pk"),
    "extra over a field": lambda: Author.objects.extra(select={"name": "'N'"}).order_by("pk"),
    "extra over a foreign key": lambda: articles.extra(select={"editor_id": "7"}),
    "filtered relation": lambda: (
        Author.objects.annotate(
            p=FilteredRelation("profile", condition=Q(profile__bio__startswith="C"))
        )
        .select_related("p")
        .order_by("pk")
    ),
    "filtered relation, many": lambda: (
        Author.objects.annotate(
            art=FilteredRelation("articles", condition=Q(articles__views__gt=0))
        )
        .select_related("art")
        .annotate(after=F("age"))
        .order_by("pk", "art__pk")
    ),
    "filtered relation, far": lambda: (
        Author.objects.annotate(
            t=FilteredRelation("articles__tags", condition=Q(articles__tags__name="x"))
        )
        .select_related("t")
        .order_by("pk", "t__pk")
    ),
    # -- known related objects
    "known": lambda: Author.objects.get(name="Ada").articles.all(),
    "known, cached already": lambda: Author.objects.get(name="Ada").articles.select_related(
        "author"
    ),
    "known, self": lambda: Plain.objects.get(name="root").children.all(),
    "known, deferred": lambda: Author.objects.get(name="Ada").articles.only("title"),
    "known, or-ed": lambda: (
        Author.objects.get(name="Ada").articles.all()
        | Author.objects.get(name="Bob").edited.all()
        | Article.objects.all()
    ),
    "known, many to many": lambda: Tag.objects.get(name="x").articles.all(),
    # -- combined
    "union": lambda: Author.objects.filter(age=36).union(Author.objects.filter(age=40)),
    "union of values": lambda: Author.objects.values_list("age", "name").union(
        Author.objects.values_list("age", "name"), all=True
    ),
    # -- values
    "values": lambda: Author.objects.order_by("pk").values(),
    "values of some": lambda: articles.values("title", "author__name", "metadata"),
    "values with annotations": lambda: articles.values("title", up=Upper("title")),
    "values grouped": lambda: articles.values("author").annotate(n=Count("pk")).order_by("author"),
    "values, annotation first": lambda: Author.objects.annotate(b=F("age")).values("b", "name"),
    "values with extra": lambda: Author.objects.extra(select={"x": "1"}).values("name", "x"),
    "values, no identifier": lambda: Author.objects.values(**{"1ä-{b}\\": F("age")}),
    "values, surplus": lambda: (
        Article.objects.order_by("author__name", "pk").distinct().values("title")
    ),
    "values of JSON": lambda: articles.values("metadata__n"),
    "values_list": lambda: articles.values_list("title", "metadata", "views"),
    "values_list of all": lambda: articles.values_list(),
    "values_list, raw": lambda: Author.objects.values_list("name", "age"),
    "values_list, pk": lambda: Author.objects.values_list("pk"),
    "values_list, surplus": lambda: (
        Article.objects.order_by("author__name", "pk").distinct().values_list("title", "views")
    ),
    "values_list, sorted": lambda: Author.objects.annotate(b=F("age")).values_list("b", "name"),
    "values_list, sorted and converted": lambda: articles.annotate(b=F("metadata")).values_list(
        "b", "title"
    ),
    "values_list, more": lambda: Author.objects.values_list("name").annotate(b=F("age")),
    "values_list, inline": lambda: Author.objects.values_list(Upper("name"), "age"),
    "values_list, extra": lambda: Author.objects.extra(select={"x": "1"}).values_list("name", "x"),
    "named": lambda: articles.values_list("title", "metadata", named=True),
    "named, all": lambda: Author.objects.values_list(named=True),
    "named, raw": lambda: Author.objects.values_list("name", "age", named=True),
    "named, sorted": lambda: Author.objects.annotate(b=F("age")).values_list(
        "b", "name", named=True
    ),
    "named, more": lambda: Author.objects.values_list("name", named=True).annotate(b=F("age")),
    "flat": lambda: Author.objects.order_by("pk").values_list("name", flat=True),
    "flat, converted": lambda: articles.values_list("metadata", flat=True),
    "flat, surplus": lambda: (
        Article.objects.order_by("author__name", "pk").distinct().values_list("title", flat=True)
    ),
}
if django.VERSION >= (5, 0):
    QUERYSETS["generated"] = lambda: testapp.Computed.objects.all()
if SINCE_61:
    from django.db.models.fetch_modes import FETCH_PEERS, FETCH_RAISE

    QUERYSETS |= {
        "peers": lambda: articles.select_related("author", "editor").fetch_mode(FETCH_PEERS),
        "raising": lambda: articles.only("title").fetch_mode(FETCH_RAISE),
    }


@pytest.mark.filterwarnings("ignore:Calling select_related:DeprecationWarning")
@pytest.mark.parametrize("name", QUERYSETS)
def test_the_same_as_djangos(name, data, monkeypatch):
    queryset = QUERYSETS[name]()
    rows = fetched(queryset)
    assert rows or name in ("empty", "generated")
    assert_same(queryset, rows, monkeypatch)
