"""Plans that write: INSERT and UPDATE of instances, UPDATE and DELETE of querysets."""

import datetime as dt
import re
import uuid

import django
import pytest
from django.db import IntegrityError, connection
from django.db.models import F, Value
from django.db.models.functions import Upper
from django.db.models.signals import post_delete, post_save, pre_save
from django.test.utils import CaptureQueriesContext

from tests.plans import fill, observed, plans_off, state
from tests.testapp.models import (
    Article,
    Author,
    Event,
    Measure,
    Plain,
    Profile,
    Restaurant,
    Shouted,
    Special,
    Tag,
    Ticket,
    Visitor,
)
from turbo_orm import atomic, clear_plans, plan_stats, run_sync

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone.utc)


@pytest.fixture(autouse=True)
async def filled():
    await fill()
    clear_plans()


def rows(model):
    return model.objects.order_by("pk").values().alist()


async def written_as_by_django(work, *arguments, model):
    """Assert that each argument has Django's outcome, statements and rows; return the hits.

    Each is rolled back, so that Django and the plan find the same database.
    """
    hits = 0

    async def in_savepoint(argument):
        async with atomic():
            return await work(argument)

    async def trial(argument):
        nonlocal hits
        before = plan_stats().hits
        try:
            async with atomic():
                outcome, statements = await observed(in_savepoint, argument)
                hits += plan_stats().hits - before
                found = outcome[1], comparable(statements), len(await rows(model))
                raise InterruptedError
        except InterruptedError:
            return found

    for argument in arguments:
        with plans_off():
            expected = await trial(argument)
        assert await trial(argument) == expected
    return hits


def comparable(statements):
    """Return statements without what a rollback does not take back, and without the time."""
    shown = [sql for sql in statements if "SAVEPOINT" not in sql]
    return [re.sub(r"\d+", "N", sql) if sql.startswith("INSERT") else sql for sql in shown]


CREATIONS = {
    "plain values": (Tag, [{"name": "n1"}, {"name": "n2"}]),
    "values of unusual types": (
        Author,
        [{"name": name, "age": age} for name, age in (("a", 1), ("b", "2"), (3, True), ("d", 4))],
    ),
    "a foreign key and JSON": (
        Article,
        [{"title": "t", "author_id": 1, "metadata": {"a": n}} for n in range(2)],
    ),
    "an array, a dictionary and a range": (
        Special,
        [{"attributes": {"a": None}, "numbers": [n], "span": (n, None)} for n in range(2)],
    ),
    "every other type": (
        Measure,
        [{"key": uuid.UUID(int=99), "ratio": n, "day": NOON.date(), "at": NOON} for n in range(2)],
    ),
    "its own save()": (Shouted, [{"text": "a"}, {"text": "b"}]),
    "a table more": (Restaurant, [{"name": "a", "stars": 1}, {"name": "b", "stars": 2}]),
    "a key of its own": (Tag, [{"pk": 101, "name": "n1"}, {"pk": 102, "name": "n2"}]),
}


@pytest.mark.parametrize("name", CREATIONS)
async def test_instances_are_created_as_by_django(name):
    model, values = CREATIONS[name]

    async def create(given):
        return await model.objects.acreate(**given)

    hits = await written_as_by_django(create, *values, model=model)

    # Some fields take part in writing the SQL.
    assert (hits > 0) == (model not in {Special, Measure})


BULKS = {
    "plain rows": {},
    "conflicts ignored": {"ignore_conflicts": True},
    "conflicts updated": {
        "update_conflicts": True,
        "update_fields": ["name"],
        "unique_fields": ["name"],
    },
    "batches": {"batch_size": 2},
}


@pytest.mark.parametrize("options", BULKS)
async def test_many_instances_are_created_as_by_django(options):
    async def create(names):
        return await Tag.objects.abulk_create([Tag(name=name) for name in names], **BULKS[options])

    hits = await written_as_by_django(
        create, ["a", "b", "c"], ["d", "e", "f"], ["a"], ["g"], ["h", "h", "h"], model=Tag
    )

    assert hits >= 2


async def test_expressions_among_many_instances_are_evaluated_by_the_database():
    # Their fields have a plan already.
    await Tag.objects.abulk_create([Tag(name="plain"), Tag(name="too")])
    for round_ in "abc":
        await Tag.objects.abulk_create([Tag(name=round_), Tag(name=Upper(Value(round_)))])

    names = Tag.objects.filter(pk__gt=3).order_by("pk").values_list("name", flat=True)
    assert await names.alist() == ["plain", "too", "a", "A", "b", "B", "c", "C"]


async def test_a_created_instance_has_what_the_database_gave_it():
    made = [await Tag.objects.acreate(name=name) for name in ("n1", "n2", "n3")]

    assert [tag.pk for tag in made] == [4, 5, 6]
    assert await Tag.objects.filter(pk__gt=3).order_by("pk").values_list(
        "name", flat=True
    ).alist() == [
        "n1",
        "n2",
        "n3",
    ]
    assert plan_stats().hits >= 2


async def test_what_the_database_gave_is_converted_as_by_django():
    made = [await Visitor.objects.acreate(name=name) for name in "abc"]
    made += await Visitor.objects.abulk_create([Visitor(name="d"), Visitor(name="e")])
    assert plan_stats().hits >= 2

    with plans_off():
        expected = await Visitor.objects.acreate(name="f")
    created = [*made, expected]
    assert [type(visitor.ticket) for visitor in created] == [Ticket] * 6
    assert [visitor.ticket for visitor in created] == [
        visitor.ticket async for visitor in Visitor.objects.order_by("name")
    ]


async def test_automatic_dates_are_of_the_moment():
    author = await Author.objects.afirst()
    before = dt.datetime.now(dt.timezone.utc)
    made = [await Article.objects.acreate(title="t", author=author) for _ in range(3)]

    assert before < made[0].created < made[1].created < made[2].created
    assert [(await Article.objects.aget(pk=one.pk)).created for one in made] == [
        one.created for one in made
    ]


async def test_an_expression_is_evaluated_by_the_database():
    # Its fields have a plan already.
    await Tag.objects.acreate(name="plain")
    for name in ("a", "b", "c"):
        made = await Tag.objects.acreate(name=Upper(Value(name)))
        await made.arefresh_from_db()
        assert made.name == name.upper()

    author = await Author.objects.aget(pk=1)
    for _ in range(3):
        author.age = F("age") + 1
        await author.asave()
        await author.arefresh_from_db()
    assert author.age == 39


if django.VERSION >= (5, 0):

    async def test_defaults_and_values_of_the_database_are_left_to_it():
        from tests.testapp.models import Computed

        made = [await Computed.objects.acreate() for _ in range(3)]
        given = [await Computed.objects.acreate(number=number) for number in (1, 2, 3)]
        for one in (*made, *given):
            await one.arefresh_from_db()

        assert [(one.number, one.double) for one in made] == [(7, 14)] * 3
        assert [(one.number, one.double) for one in given] == [(1, 2), (2, 4), (3, 6)]


async def test_signals_of_a_planned_save_are_sent():
    seen = []

    def receive(signal, sender, instance, **kwargs):
        seen.append((sender, instance.name, kwargs.get("created")))

    for signal in (pre_save, post_save):
        signal.connect(receive, sender=Tag)
    try:
        for name in ("n1", "n2"):
            tag = await Tag.objects.acreate(name=name)
            tag.name += "!"
            await tag.asave()
    finally:
        for signal in (pre_save, post_save):
            signal.disconnect(receive, sender=Tag)

    assert seen == [
        *[(Tag, "n1", None), (Tag, "n1", True), (Tag, "n1!", None), (Tag, "n1!", False)],
        *[(Tag, "n2", None), (Tag, "n2", True), (Tag, "n2!", None), (Tag, "n2!", False)],
    ]


SAVES = {
    "all fields": {},
    "some fields": {"update_fields": ["name"]},
    "an update at any price": {"force_update": True},
    "an insert at any price": {"force_insert": True},
}


@pytest.mark.parametrize("options", SAVES)
async def test_instances_are_saved_as_by_django(options):
    async def save(pk):
        author = Author(pk=pk, name=f"new {pk}", age=pk)
        await author.asave(**SAVES[options])
        return author

    assert await written_as_by_django(save, 1, 2, 3, 77, model=Author) >= 0


async def test_saving_an_instance_twice_uses_the_plan():
    author = await Author.objects.aget(pk=1)
    await author.asave()
    clear_plans()
    for name in ("a", "b", "c"):
        author.name = name
        await author.asave()

    assert (await Author.objects.aget(pk=1)).name == "c"
    assert plan_stats().hits == 2


async def test_instances_of_plain_models_have_plans_for_their_writes():
    clear_plans()
    for name in ("a", "b", "c"):
        made = await Plain.objects.acreate(name=name)
        made.name += "!"
        await made.asave()

    assert await run_sync(lambda: [p.name for p in Plain.objects.order_by("pk")]) == [
        "a!",
        "b!",
        "c!",
    ]
    assert plan_stats().hits == 4


async def test_a_refused_insert_is_djangos_error_and_the_plan_goes_on():
    for name in ("n1", "n2"):
        await Tag.objects.acreate(name=name)
        with pytest.raises(IntegrityError) as refused:
            await Tag.objects.acreate(name=name)
        assert "unique" in str(refused.value)
        assert refused.value.__cause__ is not None

    assert await Tag.objects.acount() == 5


UPDATES = {
    "plain values": lambda v: Article.objects.filter(views__gte=v).aupdate(title=f"t{v}", views=v),
    "nothing": lambda v: Article.objects.filter(pk=v).aupdate(editor=None),
    "a boolean": lambda v: Article.objects.filter(pk=v).aupdate(is_published=v > 1),
    "JSON": lambda v: Article.objects.filter(pk=v).aupdate(metadata={"n": v}),
    "an expression": lambda v: Article.objects.filter(pk=v).aupdate(views=F("views") + v),
    "an instance": lambda v: Article.objects.filter(pk=v).aupdate(author=Author(pk=v)),
    "a join": lambda v: Article.objects.filter(author__age__gte=v).aupdate(views=v),
    "an order": lambda v: Article.objects.order_by("-views").filter(pk=v).aupdate(views=v),
    "all rows": lambda v: Article.objects.aupdate(views=v),
    "a wrong type": lambda v: Article.objects.filter(pk=v).aupdate(views=f"x{v}"),
    "a number too large": lambda v: Article.objects.filter(pk=v).aupdate(views=2**40 * v),
    "no such field": lambda v: Article.objects.filter(pk=v).aupdate(nonsense=v),
    "a related field": lambda v: Article.objects.filter(pk=v).aupdate(author__name="x"),
    "a slice": lambda v: Article.objects.all()[:v].aupdate(views=v),
    "after distinct": lambda v: (
        Article.objects.order_by("views").distinct("views").aupdate(views=v)
    ),
    "an annotation": lambda v: Article.objects.annotate(n=F("views")).aupdate(views=F("n") + v),
}


@pytest.mark.parametrize("name", UPDATES)
async def test_querysets_are_updated_as_by_django(name):
    hits = await written_as_by_django(UPDATES[name], 1, 2, 3, model=Article)

    planned = {"plain values", "nothing", "a boolean", "JSON", "a join", "an order", "all rows"}
    assert (hits > 0) == (name in {*planned, "a number too large"})


async def test_an_update_of_several_tables_is_djangos():
    for stars in (3, 4, 5):
        assert (
            await Restaurant.objects.filter(pk__gte=1).aupdate(name=f"r{stars}", stars=stars) == 2
        )
        assert state(
            await Restaurant.objects.order_by("pk").values_list("name", "stars").alist()
        ) == state([(f"r{stars}", stars)] * 2)


async def test_updates_of_many_values_bind_each_its_own():
    for n in (1, 2, 3):
        assert (
            await Measure.objects.filter(small=n).aupdate(
                day=dt.date(2000, 1, n), at=NOON, ratio=n / 4
            )
            == 1
        )

    found = await Measure.objects.filter(small__in=[1, 2, 3]).order_by("small").alist()
    assert [(one.day, one.at, one.ratio) for one in found] == [
        (dt.date(2000, 1, n), NOON, n / 4) for n in (1, 2, 3)
    ]
    assert plan_stats().hits >= 2


async def test_rows_are_deleted_at_once_where_django_would():
    for name, left in (("a", 2), ("b", 1), ("nobody", 1), ("c", 0)):
        expected = (1, {"testapp.Event": 1}) if name != "nobody" else (0, {})
        assert await Event.objects.filter(name=name).adelete() == expected
        assert await Event.objects.acount() == left


async def test_dependent_rows_are_deleted_with_theirs():
    await Article.objects.filter(pk=1).adelete()
    for pk in (1, 2, 3):
        await Author.objects.filter(pk=pk).adelete()

    assert await Article.objects.acount() == await Profile.objects.acount() == 0


async def test_receivers_of_a_deletion_are_called_even_if_they_come_later():
    seen = []
    await Event.objects.filter(name="a").adelete()
    await Event.objects.filter(name="nobody").adelete()

    def receive(instance, **kwargs):
        seen.append(instance.name)

    post_delete.connect(receive, sender=Event)
    try:
        assert await Event.objects.filter(name="b").adelete() == (1, {"testapp.Event": 1})
    finally:
        post_delete.disconnect(receive, sender=Event)

    assert seen == ["b"]


@pytest.mark.parametrize(
    "delete",
    [
        lambda v: Event.objects.all()[:v].adelete(),
        lambda v: Event.objects.order_by("day").distinct("day").adelete(),
        lambda v: Event.objects.values("day").adelete(),
        lambda v: Event.objects.filter(name="a").order_by("-day").adelete(),
        lambda v: Event.objects.select_related().filter(pk=v).adelete(),
    ],
)
@pytest.mark.filterwarnings("ignore:Calling select_related")
async def test_querysets_are_deleted_as_by_django(delete):
    await written_as_by_django(delete, 1, 2, 3, model=Event)


async def test_the_statements_of_a_deletion_are_djangos_for_who_observes_them():
    await Event.objects.filter(name="a").adelete()
    await Event.objects.filter(name="nobody").adelete()
    with plans_off(), CaptureQueriesContext(connection) as expected:
        await Event.objects.filter(name="b").adelete()
    with CaptureQueriesContext(connection) as found:
        await Event.objects.filter(name="b").adelete()

    assert [query["sql"] for query in found] == [query["sql"] for query in expected]


async def test_a_planned_update_that_fails_dooms_its_block():
    await Article.objects.filter(pk=1).aupdate(views=1)
    with pytest.raises(IntegrityError):
        async with atomic():
            await Article.objects.filter(pk=2).aupdate(views=2)
            await Article.objects.filter(pk=1).aupdate(author_id=None)

    assert (await Article.objects.aget(pk=2)).views == 2
    assert (await Article.objects.aget(pk=1)).author_id == 1
