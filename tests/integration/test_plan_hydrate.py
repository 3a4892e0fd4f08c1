"""Generated row-to-object functions give what Django's own iterables give for the same rows."""

import datetime as dt
import json

import django
import pytest
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, connections, models
from django.db.models import Avg, Count, ExpressionWrapper, F, FilteredRelation, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncDay, Upper
from django.db.models.query import ModelIterable
from django.db.models.signals import post_init, pre_init
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import isolate_apps

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
    assert rows or name in ("empty", "generated")
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


# -- classes whose code runs


class Stamped:
    """Whatever sets an attribute, it is seen."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        return self if instance is None else instance.__dict__[self.name]

    def __set__(self, instance, value):
        instance.__dict__[self.name] = ("stamped", value)


class StampedField(models.IntegerField):
    def contribute_to_class(self, cls, name, **kwargs):
        super().contribute_to_class(cls, name, **kwargs)
        stamp = Stamped()
        stamp.name = name
        setattr(cls, name, stamp)


class Custom(Isolated):
    """Has two columns, to which a test adds code."""

    name = models.TextField()

    class Meta(Isolated.Meta):
        abstract = True


def from_init():
    class Initialised(Custom):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.seen = args

    return Initialised


def from_mixin_behind():
    class Behind:
        def __init__(self):
            self.behind = True

    class WithMixin(Custom, Behind):
        pass

    return WithMixin


def from_new():
    class Renewed(Custom):
        def __new__(cls, *args):
            new = super().__new__(cls)
            new.seen = args
            return new

    return Renewed


def from_setattr():
    class Setting(Custom):
        def __setattr__(self, name, value):
            super().__setattr__(name, ("set", value) if name == "name" else value)

    return Setting


def from_from_db():
    class Loaded(Custom):
        @classmethod
        def from_db(cls, db, field_names, values, **kwargs):
            new = super().from_db(db, field_names, values, **kwargs)
            new.seen = (db, type(field_names), list(field_names), values, sorted(kwargs))
            field_names.append("mine")
            return new

    return Loaded


def from_descriptor():
    class Described(Custom):
        name = StampedField()

    return Described


def from_file():
    class Filed(Custom):
        name = models.FileField()

    return Filed


def from_state():
    class Stated(Custom):
        @property
        def _state(self):
            return self.__dict__["_state"]

        @_state.setter
        def _state(self, value):
            self.__dict__["_state"] = value
            self.__dict__["seen"] = True

    return Stated


def from_metaclass():
    class Meta(models.base.ModelBase):
        def __call__(self, *args, **kwargs):
            new = super().__call__(*args, **kwargs)
            new.called = True
            return new

    class Called(Custom, metaclass=Meta):
        pass

    return Called


def from_getattribute():
    class Getting(Custom):
        def __getattribute__(self, name):
            object.__setattr__(self, "asked", name)
            return super().__getattribute__(name)

    return Getting


CUSTOM = [
    from_init,
    from_mixin_behind,
    from_new,
    from_setattr,
    from_from_db,
    from_descriptor,
    from_file,
    from_state,
    from_metaclass,
    from_getattribute,
]


@pytest.mark.parametrize("make", CUSTOM)
@isolate_apps("tests.testapp")
def test_a_class_with_code_of_its_own(make, monkeypatch):
    model = make()

    queryset = model.objects.annotate(extra=F("id"))
    assert_same(queryset, [(1, 2, 3), (2, 3, 4)], monkeypatch)
    assert_same(model.objects.only("id"), [(1,)], monkeypatch)
    assert not hydrator_of(queryset).pure


@pytest.mark.parametrize("make", CUSTOM)
@isolate_apps("tests.testapp")
def test_a_class_with_code_of_its_own_among_others(make, monkeypatch):
    model = make()

    class Before(Isolated):
        custom = models.OneToOneField(model, models.CASCADE, related_name="before")
        data = models.JSONField()

    rows = [(1, 2, "{}", 2, 7), (2, 3, "[1]", 3, 8)]
    assert_same(Before.objects.select_related("custom"), rows, monkeypatch)
    rows = [(2, 7, 1, 2, "{}"), (3, 8, None, None, None)]
    assert_same(model.objects.select_related("before"), rows, monkeypatch)
    rows = [(2, 7, 1, 2, "{}", 2, 7)]
    assert_same(model.objects.select_related("before__custom"), rows, monkeypatch)
    if SINCE_61:
        queryset = model.objects.select_related("before__custom").fetch_mode(FETCH_PEERS)
        assert_same(queryset, rows, monkeypatch)


@isolate_apps("tests.testapp")
def test_from_db_may_return_nothing(monkeypatch):
    class Nothing(Custom):
        @classmethod
        def from_db(cls, *args, **kwargs):  # noqa: ARG003
            return None

    class Before(Isolated):
        nothing = models.OneToOneField(Nothing, models.CASCADE)

    assert_same(Before.objects.select_related("nothing"), [(1, 2, 2, "n")], monkeypatch)


@pytest.mark.skipif(not SINCE_61, reason="fetch modes")
@isolate_apps("tests.testapp")
def test_an_old_from_db_is_warned_of_as_by_django(monkeypatch):
    class Old(Custom):
        @classmethod
        def from_db(cls, db, field_names, values):
            return super().from_db(db, field_names, values)

    with pytest.warns(Warning, match="must accept a fetch_mode"):
        assert_same(Old.objects.all(), [(1, "n")], monkeypatch)


@isolate_apps("tests.testapp")
def test_annotations_meet_descriptors(monkeypatch):
    class Described(Custom):
        stamp = Stamped()

        @property
        def doubled(self):
            return self.__dict__["double"]

        @doubled.setter
        def doubled(self, value):
            self.__dict__["double"] = value * 2

    queryset = Described.objects.annotate(stamp=F("id"), doubled=F("id"), plain=F("id"))
    assert_same(queryset, [(1, "n", 2, 3, 4)], monkeypatch)
    assert not hydrator_of(queryset).pure


@isolate_apps("tests.testapp")
def test_reading_only_descriptors_are_no_hindrance(monkeypatch):
    class Lower:
        def __get__(self, instance, owner=None):
            return "lower"

    class Reading(Custom):
        lower = Lower()

    queryset = Reading.objects.annotate(lower=F("id"))
    assert_same(queryset, [(1, "n", 2)], monkeypatch)
    assert hydrator_of(queryset).pure


@isolate_apps("tests.testapp")
def test_proxies(monkeypatch):
    class Base(Custom):
        pass

    class Proxy(Base):
        class Meta:
            proxy = True
            app_label = "testapp"

    class Held(Isolated):
        proxy = models.ForeignKey(Proxy, models.CASCADE)

    assert_same(Proxy.objects.all(), [(1, "n")], monkeypatch)
    assert_same(Held.objects.select_related("proxy"), [(1, 2, 2, "n")], monkeypatch)


@isolate_apps("tests.testapp")
def test_two_levels_of_inheritance(monkeypatch):
    class Top(Custom):
        pass

    class Middle(Top):
        m = models.IntegerField()

    class Bottom(Middle):
        b = models.IntegerField()

    assert_same(Bottom.objects.all(), [(1, "n", 1, 2, 1, 3)], monkeypatch)
    rows = [(1, "n", 1, 2, 1, 3), (2, "n", None, None, None, None)]
    assert_same(Top.objects.select_related("middle__bottom"), rows, monkeypatch)


# -- converters


class Decoder(json.JSONDecoder):
    def decode(self, text):
        return ("decoded", text)


class Doubling(models.IntegerField):
    def from_db_value(self, value, expression, connection):
        return (value, type(expression).__name__, connection.alias)


@pytest.mark.parametrize(
    ("field", "value", "pure"),
    [
        (models.JSONField(), '{"a": 1}', True),
        (models.JSONField(decoder=json.JSONDecoder), '{"a": 1}', True),
        (models.JSONField(decoder=Decoder), '{"a": 1}', False),
        (Doubling(), 3, False),
        (testapp.ArrayField(models.IntegerField()), [1], True),
        (testapp.ArrayField(models.JSONField()), ["1", "[]"], True),
        (testapp.ArrayField(models.JSONField(decoder=Decoder)), ["1"], False),
        (testapp.ArrayField(testapp.ArrayField(Doubling())), [[1]], False),
    ],
)
@isolate_apps("tests.testapp")
def test_converters(field, value, pure, monkeypatch):
    class Converted(Isolated):
        value = field

    for queryset, row in (
        (Converted.objects.all(), (1, value)),
        (Converted.objects.all(), (1, None)),
        (Converted.objects.annotate(again=F("value")), (1, value, value)),
        (Converted.objects.values("value"), (value,)),
        (Converted.objects.values_list("value", "id"), (value, 1)),
        (Converted.objects.values_list("value", flat=True), (value,)),
    ):
        assert_same(queryset, [row], monkeypatch)
        assert hydrator_of(queryset).pure == pure


@isolate_apps("tests.testapp")
def test_several_converters_of_one_column_in_order(monkeypatch):
    class Converted(Isolated):
        value = models.FloatField()

    class Total(Sum):
        def get_db_converters(self, connection):
            return [*super().get_db_converters(connection), lambda value, *rest: (value, "last")]

    queryset = Converted.objects.annotate(total=Total("value"))
    assert_same(queryset, [(1, 2.0, "3")], monkeypatch)
    assert not hydrator_of(queryset).pure


@isolate_apps("tests.testapp")
def test_a_foreign_key_whose_value_resembles_none(monkeypatch):
    class Odd:
        def __eq__(self, other):
            return True

        def __ne__(self, other):
            return False

        __hash__ = None

    class OddField(models.IntegerField):
        def from_db_value(self, value, expression, connection):
            return Odd()

    class Target(Isolated):
        id = OddField(primary_key=True)

    class Pointing(Isolated):
        target = models.ForeignKey(Target, models.CASCADE)

    (instance,) = assert_same(Pointing.objects.all(), [(1, 2)], monkeypatch)
    assert "fields_cache" not in vars(instance._state)


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


# -- known related objects


class Router:
    def allow_relation(self, one, other, **hints):
        return True


@pytest.fixture
def with_router(monkeypatch):
    from django.db import router

    return lambda: monkeypatch.setattr(router, "routers", [Router()])


def purely(queryset, known=None):
    known = queryset._known_related_objects if known is None else known
    return hydrator_of(queryset).pure_with(known, "default")


def test_known_objects_may_run_the_projects_code(data, with_router, monkeypatch):
    queryset = Author.objects.get(name="Ada").articles.all()
    assert purely(queryset)

    with_router()
    assert not purely(queryset)
    assert purely(queryset, {})
    assert_same(queryset, fetched(queryset), monkeypatch)


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


@pytest.mark.parametrize("make", CUSTOM)
@isolate_apps("tests.testapp")
def test_known_objects_of_a_class_with_code_of_its_own(make, monkeypatch):
    class Pointing(Custom):
        to = models.ForeignKey(Author, models.CASCADE)

        class Meta(Custom.Meta):
            abstract = True

    monkeypatch.setitem(globals(), "Custom", Pointing)
    queryset = make().objects.all()
    owner = Author.from_db("default", ["id", "name", "age"], [5, "n", 2])
    queryset._known_related_objects = {queryset.model._meta.get_field("to"): {5: owner}}
    columns = queryset.model._meta.concrete_fields
    rows = [tuple(5 if field.attname == "to_id" else 1 for field in columns)]
    assert_same(queryset, rows, monkeypatch)
    assert not purely(queryset)
