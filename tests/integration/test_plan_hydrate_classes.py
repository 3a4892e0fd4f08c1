"""Generated row-to-object functions where the project's own code runs for each row."""

import json

import django
import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Sum
from django.test.utils import isolate_apps

from tests.hydration import (
    SINCE_61,
    Custom,
    Isolated,
    assert_same,
    compiled,
    hydrated,
    hydrator_of,
    shown,
)
from tests.testapp.models import Author

pytestmark = pytest.mark.rolled_back


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


def from_init(base):
    class Initialised(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.seen = args

    return Initialised


def from_mixin_behind(base):
    class Behind:
        def __init__(self):
            self.behind = True

    class WithMixin(base, Behind):
        pass

    return WithMixin


def from_new(base):
    class Renewed(base):
        def __new__(cls, *args):
            new = super().__new__(cls)
            new.seen = args
            return new

    return Renewed


def from_setattr(base):
    class Setting(base):
        def __setattr__(self, name, value):
            super().__setattr__(name, ("set", value) if name == "name" else value)

    return Setting


def from_from_db(base):
    class Loaded(base):
        @classmethod
        def from_db(cls, db, field_names, values, **kwargs):
            new = super().from_db(db, field_names, values, **kwargs)
            new.seen = (db, type(field_names), list(field_names), values, sorted(kwargs))
            field_names.append("mine")
            return new

    return Loaded


def from_descriptor(base):
    class Described(base):
        name = StampedField()

    return Described


def from_file(base):
    class Filed(base):
        name = models.FileField()

    return Filed


def from_state(base):
    class Stated(base):
        @property
        def _state(self):
            return self.__dict__["_state"]

        @_state.setter
        def _state(self, value):
            self.__dict__["_state"] = value
            self.__dict__["seen"] = True

    return Stated


def from_metaclass(base):
    class Meta(models.base.ModelBase):
        def __call__(self, *args, **kwargs):
            new = super().__call__(*args, **kwargs)
            new.called = True
            return new

    class Called(base, metaclass=Meta):
        pass

    return Called


def from_getattribute(base):
    class Getting(base):
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
    model = make(Custom)

    queryset = model.objects.annotate(extra=F("id"))
    assert_same(queryset, [(1, 2, 3), (2, 3, 4)], monkeypatch)
    assert_same(model.objects.only("id"), [(1,)], monkeypatch)
    assert not hydrator_of(queryset).pure


@pytest.mark.parametrize("make", CUSTOM)
@isolate_apps("tests.testapp")
def test_a_class_with_code_of_its_own_among_others(make, monkeypatch):
    model = make(Custom)

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
        from django.db.models.fetch_modes import FETCH_PEERS

        queryset = model.objects.select_related("before__custom").fetch_mode(FETCH_PEERS)
        assert_same(queryset, rows, monkeypatch)


@pytest.mark.parametrize("make", CUSTOM)
@isolate_apps("tests.testapp")
def test_a_class_with_code_of_its_own_and_known_objects(make, monkeypatch):
    class Pointing(Custom):
        to = models.ForeignKey(Author, models.CASCADE)

        class Meta(Custom.Meta):
            abstract = True

    queryset = make(Pointing).objects.all()
    owner = Author.from_db("default", ["id", "name", "age"], [5, "n", 2])
    known = {queryset.model._meta.get_field("to"): {5: owner}}
    queryset._known_related_objects = known
    columns = queryset.model._meta.concrete_fields
    rows = [tuple(5 if field.attname == "to_id" else 1 for field in columns)]
    assert_same(queryset, rows, monkeypatch)
    assert not hydrator_of(queryset).pure_with(known, "default")


@isolate_apps("tests.testapp")
def test_a_from_db_that_changes_its_arguments_changes_no_plan():
    queryset = from_from_db(Custom).objects.all()
    hydrator = hydrator_of(queryset)

    first, second = (shown(hydrated(queryset, [(1, "n")], hydrator)) for _ in range(2))
    assert first == second


@isolate_apps("tests.testapp")
def test_a_child_whose_columns_are_its_parents(monkeypatch):
    class Parent(Isolated):
        data = models.JSONField()

    child = from_from_db(Parent)

    rows = [(1, "{}", 1), (2, "[]", None)]
    (one, _) = assert_same(Parent.objects.select_related("loaded"), rows, monkeypatch)
    assert type(one.loaded) is child


@isolate_apps("tests.testapp")
def test_from_db_may_return_nothing(monkeypatch):
    class Nothing(Custom):
        @classmethod
        def from_db(cls, *args, **kwargs):
            return None

    class Before(Isolated):
        nothing = models.OneToOneField(Nothing, models.CASCADE)

    assert_same(Before.objects.select_related("nothing"), [(1, 2, 2, "n")], monkeypatch)


@pytest.mark.skipif(django.VERSION < (6, 1, 1), reason="Django 6.1.0 calls it with fetch_mode")
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


@isolate_apps("tests.testapp")
def test_a_child_of_two_parents_reached_from_the_second(monkeypatch):
    class First(Isolated):
        one = models.AutoField(primary_key=True)
        name = models.TextField()

    class Second(Isolated):
        two = models.AutoField(primary_key=True)
        title = models.TextField()

    class Both(First, Second):
        pass

    queryset = Second.objects.select_related("both")
    width = len(compiled(queryset)[0].select)
    rows = [tuple(range(1, width + 1)), (7, "t", *[None] * (width - 2))]
    (one, other) = assert_same(queryset, rows, monkeypatch)
    assert (one.both.two, one.both.title) == (one.two, one.title)
    assert other._state.fields_cache == {"both": None}


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
        (ArrayField(models.IntegerField()), [1], True),
        (ArrayField(models.JSONField()), ["1", "[]"], True),
        (ArrayField(models.JSONField(decoder=Decoder)), ["1"], False),
        (ArrayField(ArrayField(Doubling())), [[1]], False),
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
