"""What was once a way to inject SQL is refused or inert, cold and warm, with either binding."""

import pytest
from django.contrib.postgres.aggregates import StringAgg
from django.db.models import CharField, Count, F, FilteredRelation, Q, Value
from django.db.models.functions import Extract, Trunc

from tests.plans import like_django, observed, plans_off
from tests.testapp.models import Article, Author, Event, Measure, Special
from tests.thorough import cases
from turbo_orm import clear_plans

# Each tries to end what it stands in, and to do something else.
PAYLOADS = (
    "'); DROP TABLE testapp_author; --",
    '" = 1) OR 1 = 1 --',
    "a' OR '1' = '1",
    "x' = '1' OR 1=1 OR data ? 'x",
    '$1"; SELECT 1; --',
    "a\n\t--\x00",
    "name; SELECT pg_sleep(10)",
    "%s) OR (1=1",
    "a.b",
    "dollar$name",
    "x\x07y",
    '"testapp_author"."name"',
    "views); --",
)
AUTHORS = ("Ada", "Bob")


# By the number that the hole was given: what is done with a payload.
HOLES = {
    "2019-14234 JSON key": lambda q, p: q(Measure).filter(**{f"data__{p}": "x"}).alist(),
    "2019-14234 JSON key in order": lambda q, p: q(Measure).order_by(f"data__{p}").alist(),
    "2019-14234 hstore key": lambda q, p: q(Special).filter(**{f"attributes__{p}": "x"}).alist(),
    "2019-14234 JSON value": lambda q, p: q(Measure).filter(data__a=p).alist(),
    "2020-7471 delimiter": lambda q, p: q(Author).aaggregate(
        n=StringAgg("name", delimiter=Value(p), default=Value("", output_field=CharField()))
    ),
    "2021-35042 order": lambda q, p: q(Author).order_by(p).alist(),
    "2021-35042 order of a table": lambda q, p: q(Author).order_by(f"testapp_author.{p}").alist(),
    "2022-28346 annotate": lambda q, p: q(Article).annotate(**{p: F("views")}).alist(),
    "2022-28346 alias": lambda q, p: q(Article).alias(**{p: F("views")}).order_by(p).alist(),
    "2022-28346 aggregate": lambda q, p: q(Article).aaggregate(**{p: Count("*")}),
    "2022-28346 values": lambda q, p: q(Article).values(**{p: F("views")}).alist(),
    "2022-28346 extra": lambda q, p: q(Article).extra(select={p: "1"}).alist(),
    "2022-28347 explain": lambda q, p: q(Article).filter(views=1).aexplain(**{p: "true"}),
    "2022-28347 explain format": lambda q, p: q(Article).aexplain(format=p),
    "2022-34265 trunc": lambda q, p: q(Event).annotate(d=Trunc("at", p)).alist(),
    "2022-34265 extract": lambda q, p: (
        q(Event).filter(name="a").annotate(d=Extract("at", p)).alist()
    ),
    "2024-42005 values of a key": lambda q, p: q(Measure).values(f"data__{p}").alist(),
    "2024-42005 list of a key": lambda q, p: q(Measure).values_list(f"data__{p}", "pk").alist(),
    "2025-57833 filtered relation": lambda q, p: (
        q(Article).annotate(**{p: FilteredRelation("author")}).values(f"{p}__name").alist()
    ),
    "2025-64459 connector": lambda q, p: q(Author).filter(name="a", age=1, _connector=p).alist(),
    "2025-64459 connector of exclude": lambda q, p: (
        q(Author).exclude(name="a", _connector=p).alist()
    ),
    "2025-64459 connector of get": lambda q, p: q(Author).aget(name="a", age=1, _connector=p),
    "2025-64459 connector of Q": lambda q, p: (
        q(Author).filter(Q(("name", "a"), ("age", 1), _connector=p)).alist()
    ),
    "2025-64459 negation": lambda q, p: q(Author).filter(name="a", _negated=p).alist(),
    "2026-1312 order by relation": lambda q, p: (
        q(Article).alias(**{f"r.{p}": FilteredRelation("author")}).order_by(f"r.{p}").alist()
    ),
    "2024-53908 key of has_key": lambda q, p: q(Measure).filter(data__has_key=p).alist(),
    "2024-53908 keys": lambda q, p: q(Measure).filter(data__has_any_keys=[p, "a"]).alist(),
    "2025-59681 update": lambda q, p: (
        q(Author).filter(name=p).aupdate(name=p[:9].replace("\0", ""))
    ),
    "pattern": lambda q, p: q(Author).filter(name__icontains=p).alist(),
    "list": lambda q, p: q(Author).filter(name__in=[p, "Ada"]).alist(),
    "array": lambda q, p: q(Special).filter(numbers__contains=[p]).alist(),
    "lookup": lambda q, p: q(Author).filter(**{f"name__{p}": "a"}).acount(),
    "defer": lambda q, p: q(Author).defer(p).alist(),
    "only": lambda q, p: q(Author).only(p).alist(),
    "distinct": lambda q, p: q(Author).distinct(p).alist(),
    "related": lambda q, p: q(Article).select_related(p).alist(),
    "earliest": lambda q, p: q(Event).aearliest(p),
    "bulk": lambda q, p: q(Author).ain_bulk([1], field_name=p),
}


@pytest.fixture(params=["client", "server"])
async def alias(request, make_alias):
    """A database whose parameters are bound by the client, or by the server."""
    await Author.objects.abulk_create(Author(name=name, age=1) for name in AUTHORS)
    await Measure.objects.acreate(key="00000000-0000-0000-0000-000000000001", data={"a": "x"})
    await Special.objects.acreate(attributes={"a": "x"}, numbers=[1])
    options = {"server_side_binding": True} if request.param == "server" else {}
    return make_alias(options=options, pool={"min_size": 0, "max_size": 2})


def payloads_of(hole):
    """Return what is tried in one hole: another third in each, all of them in `make all`."""
    few = len(PAYLOADS) // 3
    first = [*HOLES].index(hole) * few % len(PAYLOADS)
    in_turn = PAYLOADS[first:] + PAYLOADS[:first]
    return in_turn[: cases(few, len(PAYLOADS))]


@pytest.mark.parametrize("hole", HOLES)
async def test_payloads_give_djangos_outcome_cold_and_warm(hole, alias):
    payloads = payloads_of(hole)

    def work(payload):
        return HOLES[hole](lambda model: model.objects.using(alias), payload)

    harmless = {"2022-34265 trunc": "day", "2022-34265 extract": "day"}.get(hole, "a")
    # Cold: a payload is the first of its shape. Each is done several times, so it becomes warm.
    for payload in payloads:
        await like_django(work, [payload], alias)
    # Warm: the shape is known from something harmless, and from other payloads.
    await like_django(work, [harmless, *payloads, harmless], alias)

    assert [author.name async for author in Author.objects.order_by("pk")] == list(AUTHORS)


@pytest.mark.parametrize("number", [-1, -5, 0, 1])
async def test_negative_numbers_after_a_minus_start_no_comment(alias, number):
    async def work(value):
        authors = Author.objects.using(alias)
        below = authors.filter(age__gt=F("age") - Value(value), age__gte=value)
        return await below.alist(), await authors.filter(age=value)[: abs(value) + 1].alist()

    await like_django(work, [1, number, -1, number], alias)


@pytest.mark.parametrize("text", ["\ud800", "\0", "\udcff'; --", "%%s %(a)s", "$1 $2", "\\'"])
async def test_texts_that_are_not_valid_are_refused_as_by_django(alias, text):
    def work(value):
        return Author.objects.using(alias).filter(name=value, age=1).alist()

    await like_django(work, ["Ada", text, "Bob"], alias)


async def test_literals_of_one_request_do_not_appear_in_anothers(alias):
    clear_plans()
    secret = "secret of another"
    authors = Author.objects.using(alias)
    shapes = (
        lambda v: authors.filter(name=v).alist(),
        lambda v: authors.exclude(Q(name=v) | Q(name__contains=v)).acount(),
        lambda v: authors.annotate(n=Value(v)).values("n").alist(),
        lambda v: authors.alias(n=Value(v)).filter(n=v).aexists(),
        lambda v: authors.aaggregate(n=Count("pk", filter=Q(name=v))),
        lambda v: authors.filter(name__in=[v, "Ada"]).order_by(Value(v)).alist(),
    )
    for shape in shapes:
        for _ in range(2):
            await shape(secret)
        result, statements = await observed(shape, "mine", alias)
        with plans_off():
            assert (result, statements) == await observed(shape, "mine", alias)
        assert secret not in str(statements)
