"""Compare what plans give with what Django gives: results, errors, warnings and statements."""

import contextlib
import datetime as dt
import uuid
import warnings
from collections.abc import Awaitable, Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Model, QuerySet
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import (
    Article,
    Author,
    Colour,
    Event,
    Measure,
    Profile,
    Ranged,
    Reading,
    Restaurant,
    Special,
    Tag,
)
from turbo_orm import clear_plans, plan_stats
from turbo_orm.plan.cache import cache
from turbo_orm.plan.execute import CURSORS

Work = Callable[[Any], Awaitable[Any]]
UTC = dt.timezone.utc
KEYS = [uuid.UUID(int=number) for number in range(1, 6)]
DAYS = [dt.date(2020, 1, 1), dt.date(2020, 3, 4), dt.date(2021, 1, 1)]
NOONS = [dt.datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in DAYS]
JSON = [{"a": 1, "b": [1, None]}, {"a": None}, {"a": "x", "c": {"d": True}}, ["a", "b"], None]


class Trial(NamedTuple):
    """A trial: what is done, with which values, and how often that is by a plan.

    Each value is used twice; if all have one shape and fit, all but the very first find the plan.
    """

    work: Work
    values: list[Any]
    hits: int | None = None


@contextlib.contextmanager
def plans_off() -> Iterator[None]:
    """Let Django build and compile everything in this block, and keep the plans that there are."""
    enabled, cache.enabled = cache.enabled, False
    try:
        yield
    finally:
        cache.enabled = enabled


def state(value: Any, seen: tuple[int, ...] = ()) -> Any:
    """Return all that can be told of a result, types and the state of instances included."""
    if id(value) in seen:
        return "seen above"
    seen = (*seen, id(value))
    if isinstance(value, Model):
        attributes = {k: state(v, seen) for k, v in value.__dict__.items() if k != "_state"}
        internal = {k: v for k, v in vars(value._state).items() if k != "peers"}
        return type(value), attributes, {k: state(v, seen) for k, v in internal.items()}
    if isinstance(value, QuerySet):
        return "queryset", state(value._result_cache, seen)
    if isinstance(value, dict):
        return type(value), [(state(k), state(v, seen)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        names = getattr(value, "_fields", ())
        return type(value).__name__, names, [state(item, seen) for item in value]
    return type(value), *_told(value)


def _told(value: Any) -> tuple[Any, ...]:
    if isinstance(value, BaseException):
        cause = value.__cause__
        return str(value), None if cause is None else (type(cause), str(cause))
    # Others would tell where in memory they are.
    return () if type(value).__repr__ is object.__repr__ else (repr(value),)


async def outcome(work: Work, argument: Any) -> Any:
    """Return the state of what some work returns or raises, and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = state(await work(argument))
        except Exception as error:
            result = state(error)
    # Those with a source are of garbage: earlier tests', or of what another task has forgotten.
    own = [warning for warning in caught if warning.source is None]
    return result, [(warning.category, str(warning.message)) for warning in own]


async def observed(work: Work, argument: Any, alias: str = "default") -> Any:
    """Return the outcome of some work, and its statements as the database saw them."""
    with CaptureQueriesContext(connections[alias]) as queries:
        result = await outcome(work, argument)
    return result, [query["sql"] for query in queries]


async def like_django(
    work: Work, arguments: Iterable[Any], alias: str = "default", *, keep: bool = False
) -> int:
    """Assert that work has Django's outcome and statements; return how many plans were hit.

    Args:
        work: what is done with each argument, once unobserved and once observed.
        arguments: all but the first should find a plan.
        alias: the database whose statements are compared.
        keep: leave the plans there are.
    """
    if not keep:
        clear_plans()
    before = plan_stats().hits
    for argument in arguments:
        with plans_off():
            expected = await observed(work, argument, alias)
        assert await outcome(work, argument) == expected[0]
        assert await observed(work, argument, alias) == expected
    return plan_stats().hits - before


@contextlib.contextmanager
def direct_statements() -> Iterator[list[str]]:
    """Give the list of the statements that are executed without the bridge in this block."""
    executed: list[str] = []

    def counting(cursor_class: Any) -> Any:
        class Counting(cursor_class):  # type: ignore[misc]
            async def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
                executed.append(query)
                return await super().execute(query, *args, **kwargs)

        return Counting

    before = dict(CURSORS)
    CURSORS.update({kind: counting(cursor_class) for kind, cursor_class in before.items()})
    try:
        yield executed
    finally:
        CURSORS.update(before)


async def assert_like_django(trial: Trial) -> None:
    """Assert that a trial has Django's outcomes, and as many hits as it says."""
    hits = await like_django(trial.work, trial.values)

    assert hits == (2 * len(trial.values) - 1 if trial.hits is None else trial.hits), plan_stats()


async def fill() -> None:
    """A few rows of every model; primary keys begin at 1."""
    ada, bob, eve = await Author.objects.abulk_create(
        [Author(name="Ada", age=36), Author(name="Bob", age=5), Author(name="Eve", age=5)]
    )
    await Profile.objects.abulk_create([Profile(author=ada, bio="a"), Profile(author=eve)])
    tags = await Tag.objects.abulk_create(Tag(name=name) for name in "xyz")
    articles = await Article.objects.abulk_create(
        Article(
            title=title,
            author=author,
            editor=editor,
            views=views,
            is_published=views != 3,
            metadata=JSON[views - 1] or {},
        )
        for views, (title, author, editor) in enumerate(
            [("one", ada, bob), ("two", ada, None), ("100%", ada, ada), ("fo_r", bob, None)],
            start=1,
        )
    )
    through = Article.tags.through
    await through._default_manager.abulk_create(
        through(article=articles[a], tag=tags[t]) for a, t in [(0, 0), (0, 1), (1, 1), (3, 2)]
    )
    await Event.objects.abulk_create(
        Event(name=name, day=day, at=at) for name, day, at in zip("abc", DAYS, NOONS, strict=True)
    )
    measures = await Measure.objects.abulk_create(
        Measure(
            key=key,
            price=Decimal(number) / 4 if number else None,
            ratio=number / 2,
            day=DAYS[number % 3],
            hour=dt.time(number),
            at=NOONS[number % 3],
            lasts=dt.timedelta(hours=number),
            small=number or None,
            raw=bytes([number]),
            colour=Colour.RED if number % 2 else Colour.BLUE,
            done=[None, True, False][number % 3],
            data=JSON[number],
        )
        for number, key in enumerate(KEYS)
    )
    await Reading.objects.abulk_create(
        Reading(measure=measure, value=number) for number, measure in enumerate([*measures, None])
    )
    for stars in (1, 2):
        await Restaurant.objects.acreate(name=f"R{stars}", stars=stars)
    await Special.objects.abulk_create(
        [
            Special(attributes={"a": "x"}, numbers=[1, 2], span=(1, 5)),
            Special(attributes={"b": None}, numbers=[2, 3], span=(3, None)),
            Special(numbers=[]),
        ]
    )
    await Ranged.objects.acreate(days=(DAYS[0], DAYS[2]), times=(NOONS[0], NOONS[1]))
