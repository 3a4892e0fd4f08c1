"""Random querysets: one shape is one SQL and one order of parameters, and rows are Django's.

``TURBO_PLAN_EXAMPLES=2000`` looks deeper than `make all` has time for.
"""

import asyncio
import datetime as dt
import os
import re
import uuid
from decimal import Decimal

import pytest
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Lower, TruncMonth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.invariant import assert_at_rest
from tests.plans import fill, outcome, state
from tests.testapp.models import (
    Article,
    Author,
    Colour,
    Event,
    Measure,
    Place,
    Reading,
    Restaurant,
    Special,
)
from tests.thorough import cases
from turbo_orm import clear_plans, close_pools, plan_stats, run_sync

EXAMPLES = int(os.environ.get("TURBO_PLAN_EXAMPLES") or cases(40, 100))
UTC = dt.timezone.utc

ints = st.sampled_from([0, 1, 2, 3, 5, 36, -1, 2**31, 2**40])
texts = st.sampled_from(["", "a", "o", "Ada", "one", "%", "_", "x", "'\"\\"])
days = st.sampled_from([dt.date(2020, 1, 1), dt.date(2020, 3, 4), dt.date(2021, 1, 1)])
moments = st.sampled_from([dt.datetime(2020, m, 4, 12, tzinfo=UTC) for m in (1, 3, 12)])
decimals = st.sampled_from([Decimal("0.25"), Decimal("0.5"), Decimal("1.00"), Decimal(1)])
keys = st.sampled_from([uuid.UUID(int=number) for number in range(1, 7)])
json = st.sampled_from([{"a": 1}, {"a": None}, {}, ["a", "b"], [], "x", 1, 1.5, True])
booleans = st.sampled_from([True, False, None])


def lists(elements):
    return st.lists(elements, max_size=3) | st.tuples(elements, elements)


def conditions(**paths):
    """Return the strategy for the values of each path; None stands alone or is a JSON null."""
    return {
        path: values.filter(lambda value: value is not None)
        if "__" in path and not path.endswith("__a")
        else values
        for path, values in paths.items()
    }


ARTICLES = conditions(
    title=texts,
    title__in=lists(texts),
    title__icontains=texts,
    views=ints | booleans.filter(bool),
    views__gte=ints | st.just(1.5),
    views__in=lists(ints),
    views__range=st.tuples(ints, ints),
    is_published=booleans.filter(lambda value: value is not None),
    editor=ints | st.none(),
    editor__isnull=st.booleans(),
    editor__name__startswith=texts,
    author__age=ints,
    author__in=lists(ints),
    author__name=texts,
    author__profile__bio=texts,
    tags__name=texts,
    tags__name__in=lists(texts),
    tags=ints | st.none(),
    metadata__a=json | st.none(),
    metadata__contains=json,
    metadata__b__0=ints,
    metadata__has_key=texts,
    created__year=st.sampled_from([2020, 2026]),
)
MEASURES = conditions(
    key=keys,
    key__in=lists(keys),
    price=decimals | st.none(),
    price__lte=decimals | st.just(0.5),
    ratio__gt=st.sampled_from([0.5, 1.0, 2]),
    day=days | st.none(),
    day__range=st.tuples(days, days),
    day__year=st.sampled_from([2020, 2021]),
    hour__lt=st.sampled_from([dt.time(1), dt.time(3)]),
    at=moments | st.none(),
    at__date=days,
    at__month__in=lists(st.sampled_from([1, 3])),
    lasts__gte=st.sampled_from([dt.timedelta(hours=1), dt.timedelta(hours=3)]),
    small=ints | st.none(),
    small__in=lists(ints),
    colour=st.sampled_from([*Colour, "red", "blue"]),
    done=booleans,
    data__a=json | st.none(),
    data__contains=json,
    readings__value=ints,
    readings__value__in=lists(ints),
)
SPECIALS = conditions(
    numbers=lists(ints.filter(lambda value: abs(value) < 99)),
    numbers__contains=lists(st.sampled_from([1, 2])),
    numbers__0=ints,
    numbers__len=ints,
    span__contains=st.sampled_from([1, 3, 9]),
    span__overlap=st.sampled_from([(1, 2), (2, None), (0, 9)]),
    attributes__a=texts,
    attributes__has_key=texts,
)
RESTAURANTS = conditions(name=texts, stars=ints, place_ptr=ints, stars__in=lists(ints))
READINGS = conditions(
    measure=keys | st.none(), measure__small=ints, measure__key__in=lists(keys), value__lt=ints
)
EVENTS = conditions(day=days, at__gte=moments, at__date=days, name__in=lists(texts))
AUTHORS = conditions(
    name=texts,
    articles__title=texts,
    articles__views__gt=ints,
    articles__tags__name=texts,
    edited=ints | st.none(),
    profile__isnull=st.booleans(),
    age__in=lists(ints),
)
# Each model with its conditions, columns to order by, and annotations.
MODELS = {
    Article: (ARTICLES, ["title", "-author__name", "editor", "tags"], {"n": Count("tags")}),
    Measure: (MEASURES, ["price", "-at", "readings__value"], {"m": TruncMonth("at")}),
    Special: (SPECIALS, ["numbers"], {"s": Coalesce(F("pk"), 1)}),
    Restaurant: (RESTAURANTS, ["-stars", "name"], {"low": Lower("name")}),
    Place: (conditions(name=texts, restaurant__stars=ints), ["restaurant"], {}),
    Reading: (READINGS, ["-measure", "value"], {"p": F("measure__price")}),
    Event: (EVENTS, ["day"], {}),
    Author: (AUTHORS, ["name"], {"total": Sum("articles__views")}),
}


def trees(paths):
    """Q objects: a path with its value, or (connector, negated, children)."""
    leaves = st.one_of(st.tuples(st.just(path), values) for path, values in paths.items())
    return st.recursive(
        leaves,
        lambda inner: st.tuples(
            st.sampled_from(["AND", "OR", "XOR"]),
            st.booleans(),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=4,
    )


def refilled(draw, tree, paths):
    """Return a tree of the same form with other values."""
    if len(tree) == 2:
        return tree[0], draw(paths[tree[0]])
    connector, negated, children = tree
    return connector, negated, [refilled(draw, child, paths) for child in children]


def tree_of(tree):
    if len(tree) == 2:
        return Q(tree)
    connector, negated, children = tree
    return Q(*map(tree_of, children), _connector=connector, _negated=negated)


@st.composite
def pairs(draw):
    """Draw a model and the steps of two chains, which differ in their values only."""
    model = draw(st.sampled_from(list(MODELS)))
    paths, columns, annotations = MODELS[model]
    steps = [
        (draw(st.sampled_from(["filter", "filter", "exclude"])), draw(trees(paths)))
        for _ in range(draw(st.integers(1, 3)))
    ]
    if draw(st.booleans()):
        steps.append(("order_by", draw(st.sampled_from(columns))))
    if annotations and draw(st.booleans()):
        steps.insert(draw(st.integers(0, len(steps))), ("annotate", annotations))
    if draw(st.integers(0, 3)) == 0:
        steps.append(("values", draw(st.sampled_from([("pk",), ()]))))
    if draw(st.booleans()):
        steps.append(("slice", (draw(st.integers(0, 2)), draw(st.integers(3, 5)))))
    others = [
        (name, refilled(draw, what, paths) if name in {"filter", "exclude"} else what)
        for name, what in steps
    ]
    return model, steps, others


def made(root, steps):
    """Return the queryset of the steps."""
    queryset = root
    for name, what in steps:
        if name in {"filter", "exclude"}:
            plain = len(what) == 2
            arguments = ((), dict([what])) if plain else ((tree_of(what),), {})
            queryset = getattr(queryset, name)(*arguments[0], **arguments[1])
        elif name == "annotate":
            queryset = queryset.annotate(**what)
        elif name == "values":
            queryset = queryset.values(*what)
        elif name == "slice":
            queryset = queryset[what[0] : what[1]]
        else:
            queryset = queryset.order_by(what, "pk")
    return queryset


def compiled(queryset):
    """Return Django's SQL without the numbers of a slice, and parameters by place."""
    sql, params = queryset.query.sql_with_params()
    return re.sub(r"(LIMIT|OFFSET) \d+", r"\1 n", sql), len(params)


TERMINALS = (("alist", list), ("acount", QuerySet.count), ("aexists", QuerySet.exists))


async def check(model, chains_of_one_model):
    """Compare SQL where nodes are equal, and every result."""
    plain = QuerySet(model)
    shapes = {}
    for steps in chains_of_one_model:
        djangos = await outcome(lambda steps: built(plain, steps), steps)
        ours = await outcome(lambda steps: built(model.objects.all(), steps), steps)
        if type(djangos[0][0]) is type and issubclass(djangos[0][0], Exception):
            assert ours == djangos
            continue
        for name, synchronous in TERMINALS:
            expected = await outcome(
                lambda steps, call=synchronous: run_sync(lambda: call(made(plain, steps))), steps
            )
            found = await outcome(
                lambda steps, name=name: getattr(made(model.objects.all(), steps), name)(), steps
            )
            assert found == expected
        note(shapes, made(model.objects.all(), steps), made(plain, steps))


async def built(root, steps):
    made(root, steps)


def note(shapes, recorded, plain):
    """Assert that equal nodes have equal SQL, where the cache would not fall back."""
    record = recorded._record
    if record is None or not record.settled:
        return
    plan = record.node.plans.get(("rows", "default"))
    try:
        params = plan.bind_as_django(record.values)
        sql, expected = plain.query.get_compiler("default").as_sql()
    except Exception:
        return
    # As Django writes it, with the very parameters in their places.
    assert plan.sql_as_django(record.values) == sql
    assert [*map(state, map(unwrapped, params))] == [*map(state, map(unwrapped, expected))]
    shapes.setdefault(id(record.node), compiled(plain))
    assert shapes[id(record.node)] == compiled(plain)


def unwrapped(param):
    return getattr(param, "obj", param)


@pytest.mark.timeout(60 + EXAMPLES)
def test_equal_shapes_have_equal_sql_and_every_result_is_djangos():
    """One loop and one set of rows serve every example."""
    runner = asyncio.Runner() if hasattr(asyncio, "Runner") else None
    loop = runner.get_loop() if runner else asyncio.new_event_loop()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize="TURBO_PLAN_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    @given(pairs())
    def example(pair):
        model, first, second = pair
        loop.run_until_complete(check(model, [first, second, first, second]))

    try:
        loop.run_until_complete(fill())
        clear_plans()
        example()
        assert plan_stats().hits > EXAMPLES
        loop.run_until_complete(assert_at_rest("default"))
    finally:
        loop.run_until_complete(close_pools())
        runner.close() if runner else loop.close()
