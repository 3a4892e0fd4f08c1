"""Each kind of condition and value, three times and more: a plan gives what Django gives."""

import datetime as dt
from decimal import Decimal

import django
import pytest
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Upper
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from tests.plans import DAYS, KEYS, NOONS, Trial, assert_like_django, fill
from tests.testapp.models import (
    Article,
    Author,
    Colour,
    Event,
    Measure,
    Person,
    Ranged,
    Reading,
    Special,
    Tag,
)

pytestmark = pytest.mark.rolled_back

# Django 4.2 leaves numbers that are too large to the database.
OVERFLOWS = django.VERSION >= (5, 0)
NAMES = ["Ada", "Bob", "none", "%_\\'\""]
LISTS = [[1, 2], [2, 3], [3, 3], [4, 1]]


def listed(queryset, values, hits=None):
    return Trial(lambda v: queryset(v).alist(), values, hits)


def lazy(value):
    return SimpleLazyObject(lambda: value)


CASES = {
    "or": listed(
        lambda v: Article.objects.filter(Q(title=v) | ~Q(views=2, author__name=v)), ["one", "Ada"]
    ),
    "xor": listed(lambda v: Article.objects.filter(Q(title=v) ^ Q(views=2)), ["one", "two"]),
    "equal twins": listed(
        lambda v: Author.objects.filter(Q(name=v[0]) | Q(name=v[1])),
        [("Ada", "Bob"), ("Eve", "Eve"), ("Bob", "Ada")],
        3,
    ),
    "twins that become equal": listed(
        lambda v: Event.objects.filter(Q(day=v[0]) | Q(day=v[1])),
        [(DAYS[0], NOONS[1]), (DAYS[0], NOONS[0]), (DAYS[1], NOONS[0])],
        5,
    ),
    "exclude through many": listed(
        lambda v: Author.objects.exclude(articles__title=v), ["one", "fo_r", "none"]
    ),
    "exclude two through many": listed(
        lambda v: Author.objects.exclude(articles__views__gt=v, articles__title="one"), [0, 3]
    ),
    "exclude m2m": listed(lambda v: Article.objects.exclude(tags__name__in=[v, "z"]), ["x", "y"]),
    "exclude nullable": listed(lambda v: Article.objects.exclude(editor__age=v), [36, 5]),
    "two filters through many": listed(
        lambda v: Article.objects.filter(tags__name=v).filter(tags__name="y"), ["x", "y"]
    ),
    "F": listed(lambda v: Article.objects.filter(views=F("author__age") - v), [35, 1, 3], 3),
    "bare F": listed(
        lambda v: Article.objects.filter(views__lt=F("author__age"), title=v), ["one", "two"]
    ),
    "function": listed(lambda v: Author.objects.filter(name=Upper(Value(v))), ["ada", "EVE"], 2),
    "in": listed(lambda v: Author.objects.filter(pk__in=v), LISTS, 5),
    "in of other lengths": listed(
        lambda v: Author.objects.filter(pk__in=v), [[1], [1, 2], [1, 2, 3], []], 3
    ),
    "in with None": listed(
        lambda v: Author.objects.filter(pk__in=v), [[1, None], [2, None], [None]], 3
    ),
    "in with booleans": listed(
        lambda v: Article.objects.filter(is_published__in=v),
        [[True], [False], [True, False], [1]],
        5,
    ),
    "in a tuple": listed(
        lambda v: Author.objects.filter(name__in=v), [("Ada", "x"), ("Bob", "Eve")]
    ),
    "in a set": listed(lambda v: Author.objects.filter(age__in=v), [{5}, {36}]),
    "in a string": listed(lambda v: Tag.objects.filter(name__in=v), ["xy", "yz", "zz"], 3),
    "in a range": listed(lambda v: Tag.objects.filter(pk__in=range(v)), [1, 2, 3], 0),
    "in a generator": listed(lambda v: Tag.objects.filter(pk__in=(n for n in v)), [[1], [2]], 0),
    "range": listed(
        lambda v: Article.objects.filter(views__range=v), [(1, 2), (2, 9), [2, 3], (1,)], 4
    ),
    "too large": listed(
        lambda v: Author.objects.filter(age=v),
        [5, 2**31, -(2**31), 2**40, 36],
        5 if OVERFLOWS else None,
    ),
    "not too large": listed(
        lambda v: Author.objects.exclude(age__gt=v),
        [5, 2**31, -(2**31) - 1, 36],
        3 if OVERFLOWS else None,
    ),
    "too large in": listed(
        lambda v: Author.objects.filter(age__in=v), [[5, 2**31], [36, 5], [2**31, 2**32]], 5
    ),
    "too large key": listed(lambda v: Article.objects.filter(author=v), [1, 2**63, 2]),
    "smallint": listed(
        lambda v: Measure.objects.filter(small__lte=v),
        [1, 2**15, 3],
        3 if OVERFLOWS else None,
    ),
    "int as text": listed(lambda v: Author.objects.filter(pk=v), ["1", "2", "x", " 3 "], 5),
    "text as int": listed(lambda v: Author.objects.filter(name=v), [1, 2]),
    "float as int": listed(
        lambda v: Author.objects.filter(age__gte=v), [5.5, 4.5, float("nan"), float("inf")], 3
    ),
    "bool": listed(lambda v: Article.objects.filter(is_published=v), [True, False, True, False], 6),
    "bool as int": listed(lambda v: Article.objects.filter(is_published=v), [1, 0, 1, 2], 0),
    "bool for int": listed(lambda v: Article.objects.filter(views=v), [True, False, 1, 1.0], 4),
    "None": listed(lambda v: Article.objects.filter(editor=v), [None, 1, None, 2], 6),
    "isnull": listed(lambda v: Article.objects.filter(editor__isnull=v), [True, False, True, 1], 4),
    "nullable boolean": listed(
        lambda v: Measure.objects.exclude(done=v), [True, None, False, True], 5
    ),
    "like": listed(lambda v: Article.objects.filter(title__icontains=v), ["%", "_", "\\", "O", ""]),
    "startswith": listed(lambda v: Article.objects.filter(title__startswith=v), ["o", "100%", "T"]),
    "iexact": listed(lambda v: Author.objects.filter(name__iexact=v), ["ADA", "%", "bob"]),
    "iexact None": listed(lambda v: Author.objects.filter(name__iexact=v), ["ADA", None, "bob"], 4),
    "regex": listed(lambda v: Author.objects.filter(name__regex=v), ["^A", "b$", "("]),
    "contains of int": listed(lambda v: Author.objects.filter(age__contains=v), [3, 6, "5"], 4),
    "NUL": listed(lambda v: Author.objects.filter(name=v), ["Ada", "a\0b", "Bob"]),
    "surrogate": listed(lambda v: Author.objects.filter(name=v), ["Ada", "\ud800", "Bob"]),
    "day": listed(lambda v: Event.objects.filter(day=v), [*DAYS, dt.date.max]),
    "day as text": listed(
        lambda v: Event.objects.filter(day=v), ["2020-01-01", "2020-03-04", "2020-13-01"], 3
    ),
    "year": listed(lambda v: Event.objects.filter(at__year=v, day__year__gte=v), [2020, 2021, 1]),
    "date of instant": listed(lambda v: Event.objects.filter(at__date=v), DAYS),
    "hour": listed(lambda v: Event.objects.filter(at__hour=v), [12, 13, 25]),
    "instant": listed(lambda v: Event.objects.filter(at=v), NOONS),
    "naive instant": listed(
        # Django warns of each.
        lambda v: Event.objects.filter(at__gte=v),
        [n.replace(tzinfo=None) for n in NOONS],
        0,
    ),
    "time": listed(lambda v: Measure.objects.filter(hour=v), [dt.time(1), dt.time(2)]),
    "duration": listed(
        lambda v: Measure.objects.filter(lasts__gte=v), [dt.timedelta(hours=n) for n in (1, 2)]
    ),
    "decimal": listed(
        lambda v: Measure.objects.filter(price__lte=v),
        [Decimal("0.5"), Decimal("1.00"), Decimal("NaN"), Decimal("9e9")],
        5,
    ),
    "float as decimal": listed(
        lambda v: Measure.objects.filter(price=v), [0.5, 0.25, float("inf")], 3
    ),
    "float": listed(lambda v: Measure.objects.filter(ratio__gt=v), [0.4, 1.0, float("inf")]),
    "uuid": listed(lambda v: Measure.objects.filter(key=v), KEYS),
    "uuid as text": listed(
        lambda v: Measure.objects.filter(key=v), [str(KEYS[0]), KEYS[1].hex, "x"], 3
    ),
    "bytes": listed(lambda v: Measure.objects.filter(raw=v), [b"\x01", b"\x02", b""], 5),
    "enum": listed(lambda v: Measure.objects.filter(colour=v), [Colour.RED, Colour.BLUE]),
    "enum and its text": listed(
        lambda v: Measure.objects.filter(colour=v), [Colour.RED, "blue", Colour.BLUE], 4
    ),
    "lazy text": listed(
        lambda v: Measure.objects.filter(colour=gettext_lazy(v)), ["red", "blue"], 0
    ),
    "marked text": listed(lambda v: Measure.objects.filter(colour=mark_safe(v)), ["red", "blue"]),
    "json": listed(
        lambda v: Measure.objects.filter(data=v), [{"a": None}, {"a": 1, "b": [1, None]}, {}], 5
    ),
    "json list": listed(
        lambda v: Measure.objects.filter(data=v), [["a", "b"], ["b", "a"], ["a", "c"]], 5
    ),
    "json null": listed(lambda v: Measure.objects.filter(data__a=v), [None, 1, None, "x"], 5),
    "json in json": listed(
        lambda v: Measure.objects.filter(data__contains=v),
        [{"a": 1}, {"c": {"d": True}}, {"a": None}],
        5,
    ),
    "json key": listed(lambda v: Measure.objects.filter(data__has_key=v), ["a", "c", "'; --"]),
    "json keys": listed(
        lambda v: Measure.objects.filter(data__has_any_keys=v), [["a", "c"], ["c", "z"]]
    ),
    "json path": listed(lambda v: Measure.objects.filter(data__c__d=v), [True, False, 1], 3),
    "json item": listed(lambda v: Measure.objects.filter(data__b__0__gt=v), [0, 1, 0.5], 4),
    "json key as text": listed(lambda v: Measure.objects.filter(data__a__icontains=v), ["X", "y"]),
    "array": listed(lambda v: Special.objects.filter(numbers=v), [[1, 2], [2, 3], [3, 3]]),
    "array contains": listed(
        lambda v: Special.objects.filter(numbers__contains=v), [[1], [2], [9]]
    ),
    "array item": listed(lambda v: Special.objects.filter(numbers__0=v), [1, 2, 3]),
    "array length": listed(lambda v: Special.objects.filter(numbers__len=v), [0, 2]),
    "array of text": listed(
        lambda v: Special.objects.filter(numbers__overlap=v), [["1"], ["2"], ["x"]], 3
    ),
    "hstore": listed(
        lambda v: Special.objects.filter(attributes__contains=v), [{"a": "x"}, {"b": None}]
    ),
    "hstore key": listed(lambda v: Special.objects.filter(attributes__a=v), ["x", "y"]),
    "range contains": listed(lambda v: Special.objects.filter(span__contains=v), [2, 4, 9]),
    "range overlaps": listed(lambda v: Special.objects.filter(span__overlap=v), [(1, 2), (4, 9)]),
    "range equals": listed(lambda v: Special.objects.filter(span=v), [(1, 5), (3, 4)]),
    "range begins": listed(lambda v: Ranged.objects.filter(days__startswith=v), DAYS),
    "text search": listed(
        lambda v: Article.objects.filter(title__search=v), ["one", "two", "a & !"]
    ),
    "other field": listed(lambda v: Reading.objects.filter(measure=v), KEYS),
    "other field by key": listed(
        lambda v: Reading.objects.filter(measure__pk=v, measure__small__gt=0), [2, 3]
    ),
    "foreign keys in": listed(lambda v: Article.objects.filter(author__in=v), LISTS, 5),
    "pk through": listed(lambda v: Article.objects.filter(author__pk=v, tags__pk__gte=v), [1, 2]),
    "no such field": listed(lambda v: Article.objects.filter(nothing=v), [1, 2], 0),
    "ordered through": listed(
        lambda v: Article.objects.filter(views__gt=v).order_by("-author__name", "?"), [9, 5]
    ),
    "coalesced": listed(
        lambda v: Article.objects.alias(e=Coalesce("editor__age", 0)).filter(e=v).order_by("e"),
        [0, 5, 36],
    ),
    "sticky": listed(
        lambda v: Tag.objects.filter(articles__author=v).filter(articles__views__gt=0), [1, 2]
    ),
    "lazy instance": listed(lambda v: Article.objects.filter(author=lazy(Author(pk=v))), [1, 2]),
    "symmetric": listed(lambda v: Person.objects.filter(friends__name=v), ["a", "b"]),
}


@pytest.fixture
async def rows():
    await fill()


@pytest.mark.commits
@pytest.mark.parametrize("name", CASES)
async def test_a_plan_finds_what_django_finds(name, rows):
    await assert_like_django(CASES[name])
