"""Generated row-to-object functions give what Django's own iterables give for the same rows."""

import django
import pytest
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models import Avg, Count, ExpressionWrapper, F, FilteredRelation, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncDay, Upper
from django.db.models.query import ModelIterable
from django.db.models.signals import post_init, pre_init
from django.test.utils import isolate_apps

from tests.hydration import (
    SINCE_61,
    Isolated,
    assert_same,
    compiled,
    djangos,
    fetched,
    hydrated,
    hydrator_of,
    insert_rows,
)
from tests.testapp import models as testapp
from tests.testapp.models import (
    Article,
    Author,
    Comment,
    Event,
    Friendship,
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


@pytest.fixture
def data():
    insert_rows()


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
    "defer id is ignored": lambda: articles.defer("id"),
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
        titles=ArrayAgg("articles__title")
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
    "filtered relation to a child": lambda: (
        Place.objects.annotate(
            r=FilteredRelation("restaurant", condition=Q(restaurant__stars__gt=1))
        )
        .select_related("r")
        .order_by("pk")
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


@pytest.mark.filterwarnings("ignore:Calling select_related")
@pytest.mark.parametrize("name", QUERYSETS)
def test_the_same_as_djangos(name, data, monkeypatch):
    queryset = QUERYSETS[name]()
    rows = fetched(queryset)
    assert rows or name == "empty"
    assert_same(queryset, rows, monkeypatch)


@pytest.mark.filterwarnings("ignore:Calling select_related")
def test_each_queryset_that_may_run_outside_the_bridge_says_so(data):
    impure = {name for name in QUERYSETS if not hydrator_of(QUERYSETS[name]()).pure}

    assert impure == {
        "annotation named pk",
        "extra over a foreign key",
        "filtered relation",
        "filtered relation, far",
        "filtered relation, many",
        "filtered relation to a child",
    }


def test_every_class_of_which_it_makes_instances_is_named():
    assert hydrator_of(articles.select_related("author__profile", "editor")).models == (
        Article,
        Author,
        Profile,
    )
    assert hydrator_of(articles.values("pk")).models == ()


# -- what only Django does


class MyIterable(ModelIterable):
    pass


def deep():
    return Plain.objects.select_related("__".join(["parent"] * 100))


@pytest.mark.parametrize(
    "queryset",
    [
        pytest.param(lambda: Author.objects.extra(select={"_state": "1"}), id="_state"),
        pytest.param(
            lambda: Author.objects.annotate(**{"class": F("age")}).values_list("class", named=True),
            id="names of named tuples",
        ),
        pytest.param(deep, id="deeper than Python nests"),
    ],
)
def test_nothing_is_made_of_what_would_not_be_exact(queryset):
    assert hydrator_of(queryset()) is None


def test_other_iterables_are_left_to_django():
    queryset = Author.objects.all()
    queryset._iterable_class = MyIterable
    assert hydrator_of(queryset) is None

    queryset._iterable_class = type("Other", (), {})
    assert hydrator_of(queryset) is None


def test_instances_are_not_made_of_values():
    queryset = Author.objects.values(up=Upper("name"))
    queryset._iterable_class = ModelIterable
    assert hydrator_of(queryset) is None


def test_a_named_tuple_needs_the_querysets_fields():
    queryset = Author.objects.values_list("name", named=True)
    compiler, *_ = compiled(queryset)
    arguments = queryset._iterable_class, queryset.model
    assert make_hydrator(compiler, *arguments) is not None

    compiler, *_ = compiled(queryset.annotate(b=F("age")))
    assert make_hydrator(compiler, *arguments) is None
    assert make_hydrator(compiler, *arguments, queryset._fields) is not None


@pytest.mark.skipif(django.VERSION < (5, 2), reason="composite primary keys")
@isolate_apps("tests.testapp")
def test_composite_primary_keys(monkeypatch):
    class Pair(Isolated):
        pk = models.CompositePrimaryKey("one", "two")
        one = models.IntegerField()
        two = models.IntegerField()

    assert_same(Pair.objects.all(), [(1, 2)], monkeypatch)
    assert hydrator_of(Pair.objects.values_list("pk")) is None
    assert hydrator_of(Pair.objects.values("pk")) is None


# -- receivers


@pytest.mark.parametrize("signal", [pre_init, post_init])
@pytest.mark.parametrize("sender", [Author, None])
def test_a_receiver_that_comes_up_later_is_noticed(signal, sender):
    hydrator, other = hydrator_of(articles.select_related("author")), hydrator_of(Tag.objects.all())
    assert hydrator.still_valid()

    def receiver(**kwargs):
        pass

    signal.connect(receiver, sender)
    try:
        assert not hydrator.still_valid()
        assert not hydrator.still_valid()
        assert other.still_valid() == (sender is Author)
    finally:
        signal.disconnect(receiver, sender)
    assert hydrator.still_valid()
    assert other.still_valid()


def test_a_receiver_that_takes_anothers_place_is_noticed():
    def one(**kwargs):
        pass

    def other(**kwargs):
        pass

    post_init.connect(one, Tag)
    hydrator = hydrator_of(Author.objects.all())
    post_init.disconnect(one, Tag)
    post_init.connect(other, Author)
    try:
        assert not hydrator.still_valid()
    finally:
        post_init.disconnect(other, Author)


def test_values_have_no_receivers():
    hydrator = hydrator_of(Author.objects.values("pk"))

    def receiver(**kwargs):
        pass

    post_init.connect(receiver)
    try:
        assert hydrator.still_valid()
    finally:
        post_init.disconnect(receiver)


@pytest.mark.parametrize("signal", [pre_init, post_init])
def test_receivers_are_told_as_by_django(signal, data, monkeypatch):
    told = []

    def receiver(sender, **kwargs):
        told.append((sender, kwargs.get("args"), "instance" in kwargs))

    queryset = articles.select_related("author")
    rows = fetched(queryset)
    signal.connect(receiver, Author)
    try:
        djangos(queryset, rows, monkeypatch)
        expected, told[:] = list(told), []
        hydrator = hydrator_of(queryset)
        hydrated(queryset, rows, hydrator)
        assert told == expected != []
        assert not hydrator.pure
    finally:
        signal.disconnect(receiver, Author)
