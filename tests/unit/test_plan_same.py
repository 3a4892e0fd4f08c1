"""What verify mode calls the same, and what it says of what is not."""

import datetime as dt
import uuid
import zoneinfo
from decimal import Decimal
from types import SimpleNamespace

import pytest
from psycopg.types.range import Range

from tests.testapp.models import Article, Author
from turbo_orm.plan.same import difference


class Plain:
    """Has neither equality nor a representation that says more than where it is."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Equal:
    """Equality of its own, beside an attribute that does not count."""

    def __init__(self, value):
        self.value, self.noise = value, object()

    def __eq__(self, other):
        return self.value == other.value

    __hash__ = None


class Zone(dt.tzinfo):
    """Has no representation that says more than where it is."""

    def utcoffset(self, moment):
        return dt.timedelta(hours=1)


class Answers(list):
    """What NumPy's arrays give when they are compared."""

    def __bool__(self):
        raise ValueError("the truth value of an array is ambiguous")


class Array:
    """Compares item by item, as the vectors of pgvector do."""

    def __init__(self, *items):
        self.items = items

    def __eq__(self, other):
        return Answers(one == other for one, other in zip(self.items, other.items, strict=True))

    __hash__ = None


class Unpicklable(Array):
    def __reduce_ex__(self, protocol):
        raise TypeError("no pickle")


def author(name, **state):
    made = Author(pk=1, name=name)
    made._state.db = "default"
    vars(made._state).update(state)
    return made


def article(name, **attributes):
    made = Article(pk=2, author=author(name))
    vars(made).update(attributes)
    # Each refers to the other.
    made.author._state.fields_cache["article"] = made
    return made


def instant(zone, **changes):
    return dt.datetime(2020, 10, 25, 2, tzinfo=zone).replace(**changes)


BERLIN, PARIS = zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo("Europe/Paris")
SAME = {
    "objects without equality": lambda: Plain(a=1, b=[Plain(c=None)]),
    "slots": lambda: Slotted(Plain(a=1)),
    "an equality of its own": lambda: Equal(1),
    "containers": lambda: {"a": [(1, Plain(b={2, 3}))]},
    "NaN": lambda: [float("nan"), Decimal("NaN"), {"a": float("nan")}],
    "decimals": lambda: Decimal("1.00"),
    "instants": lambda: instant(BERLIN, fold=1),
    "instances": lambda: author("Ada"),
    "instances that refer to each other": lambda: article("Ada"),
    "ranges": lambda: Range(1, 2, "[)"),
    "others": lambda: [uuid.UUID(int=1), b"a", dt.timedelta(1), None, SimpleNamespace(a=1)],
    "a class": lambda: Author,
    "a zone without a representation": lambda: dt.datetime(2020, 1, 1, tzinfo=Zone()),
    "a set of objects without equality": lambda: {Plain(a=1), Plain(a=2)},
    "arrays": lambda: [Array(1, 2), Unpicklable(1, 2)],
}
DIFFERENT = {
    "type": (1, True, "1, Django's is True"),
    "number": (1, 1.0, "1, Django's is 1.0"),
    "zero": (0.0, -0.0, "0.0, Django's is -0.0"),
    "item": ([1, [2]], [1, [3]], "[1][0]: 2, Django's is 3"),
    "length": ([1], [1, 2], "length of the result: 1, Django's is 2"),
    "key": ({"a": 1}, {"b": 1}, "keys of the result: ['a'], Django's is ['b']"),
    "order of keys": (
        {"a": 1, "b": 2},
        {"b": 2, "a": 1},
        "keys of the result: ['a', 'b'], Django's is ['b', 'a']",
    ),
    "value": ({"a": {"b": 1}}, {"a": {"b": 2}}, "['a']['b']: 1, Django's is 2"),
    "set": ({1}, {2}, "{1}, Django's is {2}"),
    "objects in a set": ({Slotted(1), 2}, {Slotted(2), 2}, None),
    "more in a set": ({Slotted(1)}, {Slotted(1), Slotted(1)}, None),
    "array": (Array(1, 2), Array(1, 3), None),
    "array without pickle": (Unpicklable(1, 2), Unpicklable(1, 3), None),
    "exponent": (
        Decimal("1.0"),
        Decimal("1.00"),
        "Decimal('1.0'), Django's is Decimal('1.00')",
    ),
    "attribute": (Plain(a=1), Plain(a=2), "a: 1, Django's is 2"),
    "attributes": (Plain(a=1), Plain(b=1), "attributes of the object: ['a'], Django's is ['b']"),
    "slot": (Slotted(1), Slotted(2), "value: 1, Django's is 2"),
    "field": ([author("Ada")], [author("Bob")], "[0].name: 'Ada', Django's is 'Bob'"),
    "state": (
        author("Ada"),
        author("Ada", db="other"),
        "_state.db: 'default', Django's is 'other'",
    ),
    "related": (
        article("Ada"),
        article("Bob"),
        "_state.fields_cache['author'].name: 'Ada', Django's is 'Bob'",
    ),
    "annotation": (
        article("Ada"),
        article("Ada", more=1),
        None,
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_the_same(name):
    assert difference(SAME[name](), SAME[name]()) is None


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_named(name):
    one, other, told = DIFFERENT[name]
    found = difference(one, other)
    assert found == told if told else "Django's is" in found


def test_one_moment_in_two_zones_is_not_the_same():
    assert "Berlin" in difference(instant(BERLIN), instant(PARIS))
    assert difference(instant(BERLIN), instant(BERLIN, fold=1))


def test_an_equality_of_its_own_is_asked():
    assert difference(Equal(1), Equal(2))
