"""Each terminal, three times and more with varying values: a plan gives what Django gives."""

import datetime as dt

import django
import pytest
from django.db.models import Avg, Case, Count, Max, Prefetch, Q, Sum, Value, When
from django.db.models.functions import TruncDay, Upper

from tests.plans import DAYS, NOONS, Trial, assert_like_django, fill
from tests.testapp.models import (
    Article,
    Author,
    Event,
    Place,
    Restaurant,
    Tag,
)

pytestmark = pytest.mark.rolled_back

# In Django 4.2 the functions for dates have an argument without a shape.
TRUNCATES = django.VERSION >= (5, 0)
NAMES = ["Ada", "Bob", "none", "%_\\'\""]
CASES = {
    "aget": Trial(lambda v: Author.objects.aget(name=v), ["Ada", "Bob", "nobody", "Eve"]),
    "aget many": Trial(lambda v: Author.objects.aget(age=v), [36, 5, 7, 5]),
    "aget of a filter": Trial(lambda v: Author.objects.filter(age=5).aget(Q(name=v)), NAMES),
    "afirst": Trial(lambda v: Author.objects.filter(age__lt=v).afirst(), [6, 40, 0]),
    "afirst ordered": Trial(lambda v: Article.objects.filter(views__gt=v).afirst(), [0, 2, 9]),
    "alast": Trial(lambda v: Author.objects.filter(age__lt=v).order_by("name").alast(), [6, 40, 0]),
    "alist": Trial(lambda v: Author.objects.filter(name__contains=v).alist(), [*NAMES, "a"]),
    "acount": Trial(lambda v: Article.objects.filter(author__name=v).acount(), NAMES),
    "acount of slice": Trial(lambda v: Article.objects.all()[v : v + 2].acount(), [0, 1, 2, 9], 6),
    "acount distinct": Trial(
        lambda v: Author.objects.filter(articles__views__lt=v).distinct().acount(), [2, 3]
    ),
    "aexists": Trial(lambda v: Article.objects.filter(title=v).aexists(), ["one", "x", "two"]),
    "acontains": Trial(
        lambda v: Author.objects.filter(age=5).acontains(Author(pk=v)), [1, 2, 3], 5
    ),
    "aearliest": Trial(
        lambda v: Event.objects.filter(day__gte=v).aearliest(), [*DAYS, dt.date.max]
    ),
    "alatest": Trial(lambda v: Event.objects.filter(day__lte=v).alatest("day", "-name"), DAYS),
    "ain_bulk": Trial(lambda v: Author.objects.ain_bulk(v), [[1, 2], [2, 3], [3, 9]]),
    "ain_bulk by name": Trial(lambda v: Tag.objects.ain_bulk(v, field_name="name"), [["x"], ["y"]]),
    "aaggregate": Trial(
        lambda v: Article.objects.filter(views__gte=v).aaggregate(
            Sum("views"), n=Count("*"), a=Avg("views")
        ),
        [1, 3, 9],
    ),
    "aaggregate of slice": Trial(
        lambda v: Article.objects.all()[:v].aaggregate(m=Max("views")), [1, 2]
    ),
    "values": Trial(
        lambda v: Article.objects.filter(views=v).values("title", "author__name").alist(), [1, 4]
    ),
    "values_list": Trial(
        lambda v: Article.objects.filter(views=v).values_list("pk", "editor_id").alist(), [1, 2]
    ),
    "flat": Trial(
        lambda v: Tag.objects.filter(name=v).values_list("pk", flat=True).alist(), ["x", "y"]
    ),
    "named": Trial(
        lambda v: Tag.objects.filter(name=v).values_list("pk", "name", named=True).alist(),
        ["x", "y"],
    ),
    "dates": Trial(
        lambda v: Event.objects.filter(day__gt=v).dates("day", "month").alist(),
        DAYS,
        5 if TRUNCATES else 0,
    ),
    "slices": Trial(
        lambda v: Article.objects.all()[v[0] : v[1]].alist(), [(1, 2), (2, 4), (3, 3), (2, 9)], 5
    ),
    "open slice": Trial(lambda v: Article.objects.all()[v:].alist(), [1, 2, 30]),
    "slice of values": Trial(
        lambda v: Article.objects.order_by("-pk").values("pk")[:v].alist(), [1, 2, 30]
    ),
    "slice of a filter": Trial(
        lambda v: (
            Article.objects.filter(title__contains=v).exclude(title="100%")[v == "o" : 5].alist()
        ),
        ["o", "t", "o", "%"],
        0,
    ),
    "huge slice": Trial(lambda v: Article.objects.all()[:v].alist(), [2, 2**63 - 1, 2**63, 2**70]),
    "prefetch": Trial(
        lambda v: Author.objects.filter(name=v).prefetch_related("articles__tags").alist(), NAMES
    ),
    "prefetch with queryset": Trial(
        lambda v: (
            Author.objects.filter(pk=v)
            .prefetch_related(
                Prefetch("articles", Article.objects.filter(views__lt=2), to_attr="few")
            )
            .alist()
        ),
        [1, 2],
    ),
    "select_related": Trial(
        lambda v: Article.objects.select_related("author", "editor").filter(views=v).alist(), [1, 2]
    ),
    "reverse one to one": Trial(
        lambda v: Author.objects.select_related("profile").filter(pk=v).alist(), [1, 2, 3]
    ),
    "only": Trial(lambda v: Article.objects.only("title").filter(views=v).alist(), [1, 2]),
    "defer": Trial(lambda v: Article.objects.defer("metadata").filter(views=v).alist(), [1, 2]),
    "annotate": Trial(
        lambda v: (
            Author.objects.annotate(n=Count("articles"), u=Upper("name"))
            .filter(n__gte=v)
            .order_by("n")
            .alist()
        ),
        [1, 0, 3],
    ),
    "annotate a case": Trial(
        lambda v: (
            Author.objects.annotate(k=Case(When(age=5, then=Value("young")), default=Value("old")))
            .filter(k=v)
            .alist()
        ),
        ["young", "old", "x"],
    ),
    "annotate a day": Trial(
        lambda v: (
            Event.objects.annotate(d=TruncDay("at")).filter(d=v).values_list("d", "name").alist()
        ),
        NOONS,
        5 if TRUNCATES else 0,
    ),
    "group by": Trial(
        lambda v: (
            Article.objects.filter(views__lte=v)
            .values("author")
            .annotate(s=Sum("views"))
            .order_by("s")
            .alist()
        ),
        [2, 4, 0],
    ),
    "nothing": Trial(lambda v: Article.objects.filter(pk=v).none().alist(), [1, 2, 3], 0),
    "multi-table": Trial(
        lambda v: Restaurant.objects.filter(name=v, stars__gt=0).alist(), ["R1", "R2"]
    ),
    "parent link": Trial(
        lambda v: Place.objects.filter(restaurant__stars=v).select_related("restaurant").alist(),
        [1, 2],
    ),
    "reverse": Trial(
        lambda v: Article.objects.filter(views__gt=v).reverse().values("pk").alist(), [1, 2]
    ),
    "distinct on": Trial(
        lambda v: Article.objects.filter(views__gt=v).order_by("author").distinct("author").alist(),
        [0, 2],
    ),
    "union": Trial(
        lambda v: (
            Tag.objects.filter(name=v).union(Tag.objects.filter(name="z")).order_by("pk").alist()
        ),
        ["x", "y"],
        0,
    ),
    "or of querysets": Trial(
        lambda v: (Tag.objects.filter(name=v) | Tag.objects.filter(name="z")).alist(), ["x", "y"], 0
    ),
    "subquery": Trial(
        lambda v: Tag.objects.filter(pk__in=Tag.objects.filter(name=v)).alist(), ["x", "y"], 0
    ),
    "aupdate": Trial(
        lambda v: Author.objects.filter(name="Ada").aupdate(age=v), [1, 2, "3", None, "x"], 6
    ),
}


@pytest.fixture
async def rows():
    await fill()


@pytest.mark.commits
@pytest.mark.parametrize("name", CASES)
async def test_a_plan_gives_what_django_gives(name, rows):
    await assert_like_django(CASES[name])
