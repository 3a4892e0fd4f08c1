"""Whoever watches statements sees those of plans as Django's; the modes "off" and "verify"."""

import functools
import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import RawSQL
from django.db.utils import ConnectionHandler
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from tests.plans import direct_statements, plans_off, state
from tests.testapp.models import Article, Author
from tests.testapp.watched import base as watched
from turbo_orm import PlanMismatch, atomic, clear_plans, close_pools, plan_stats, run_sync
from turbo_orm.plan.cache import cache

# What is done with a number; each has a plan after the first time.
WORKS = {
    "list": lambda q, n: q(Article).filter(views__gte=n).alist(),
    "slice": lambda q, n: q(Article).filter(title__contains="%")[n : n + 2].alist(),
    "get": lambda q, n: q(Author).aget(pk=n + 1),
    "count": lambda q, n: q(Article).filter(author=n, title="100%")[: n + 1].acount(),
    "exists": lambda q, n: q(Article).filter(author__name=f"'{n}'").aexists(),
    "prefetch": lambda q, n: q(Author).filter(pk=n).prefetch_related("articles").alist(),
    "update": lambda q, n: q(Author).filter(pk=n).aupdate(age=7),
}


@pytest.fixture(autouse=True)
async def rows():
    """Authors 1 to 4 with an article each."""
    clear_plans()
    authors = await Author.objects.abulk_create(Author(name=f"{n}", age=7) for n in range(4))
    await Article.objects.abulk_create(
        Article(title="100%", author=author, views=number) for number, author in enumerate(authors)
    )


@pytest.fixture
def direct(stack):
    """Count the statements that were executed without the bridge."""
    return stack.enter_context(direct_statements())


def of(alias):
    return lambda model: model.objects.using(alias)


async def all_works(alias="default"):
    """Do each work three times; return what came of it."""
    return [state(await work(of(alias), number)) for work in WORKS.values() for number in (0, 1, 2)]


async def seen_by(watch, alias="default"):
    """Return what a watcher sees of the works without plans, and of plans being used.

    Args:
        watch: a context manager that gives the list of what is seen.
        alias: the database.
    """
    with plans_off(), watch() as seen:
        expected = await all_works(alias)
    djangos = list(seen)
    await all_works(alias)
    before = plan_stats().hits
    with watch() as seen:
        assert await all_works(alias) == expected
    assert plan_stats().hits - before >= 3 * len(WORKS)
    assert len(djangos) >= 3 * len(WORKS)
    return djangos, list(seen)


class watching:  # noqa: N801 -- a function with two ends
    """Put a function in the place of another, and give what it notes."""

    def __init__(self, owner, name, *, wrapped=True):
        self.owner, self.name, self.wrapped = owner, name, wrapped

    def __enter__(self):
        seen = []
        self.original = original = getattr(self.owner, self.name)

        def noting(*args, **kwargs):
            seen.append(args[1:3])
            return original(*args, **kwargs)

        made = functools.wraps(original)(noting) if self.wrapped else noting
        setattr(self.owner, self.name, made)
        return seen

    def __exit__(self, *error):
        setattr(self.owner, self.name, self.original)


async def test_unwatched_plans_need_no_bridge(direct):
    await all_works()
    direct.clear()
    await all_works()

    assert len(direct) >= 3 * len(WORKS)


class hooked:  # noqa: N801 -- a function with two ends
    def __enter__(self):
        self.seen = []
        self.hook = connection.execute_wrapper(self.note)
        self.hook.__enter__()
        return self.seen

    def __exit__(self, *error):
        self.hook.__exit__(*error)

    def note(self, execute, sql, params, many, context):
        self.seen.append((sql, params, many, sorted(context)))
        assert context["connection"].alias == "default"
        return execute(sql, params, many, context)


async def test_execute_wrapper_sees_statement_and_parameters_as_from_django(direct):
    djangos, plans = await seen_by(hooked)

    assert plans == djangos


async def test_execute_wrapper_may_change_or_refuse_a_statement():
    class Refused(Exception):
        pass

    def refuse(execute, sql, params, many, context):
        raise Refused

    def other(execute, sql, params, many, context):
        return execute(sql, (3,), many, context)

    for _ in range(3):
        with connection.execute_wrapper(refuse), pytest.raises(Refused):
            await Author.objects.filter(pk=1).alist()
        with connection.execute_wrapper(other):
            assert [author.pk for author in await Author.objects.filter(pk=1).alist()] == [3]
        assert [author.pk for author in await Author.objects.filter(pk=1).alist()] == [1]


async def test_capture_queries_context_captures_each_statement_as_from_django():
    async def captured(work):
        with CaptureQueriesContext(connection) as queries:
            await work()
        return [query["sql"] for query in queries]

    with plans_off():
        djangos = await captured(all_works)
    await all_works()

    assert await captured(all_works) == djangos
    assert len(djangos) >= 3 * len(WORKS)


async def test_log_of_debug_has_each_statement_as_from_django(caplog):
    caplog.set_level(logging.DEBUG, logger="django.db.backends")

    async def logged():
        caplog.clear()
        await all_works()
        return [(record.sql, record.params, record.alias) for record in caplog.records]

    with override_settings(DEBUG=True):
        with plans_off():
            djangos = await logged()
        await logged()
        assert await logged() == djangos
        assert len(djangos) >= 3 * len(WORKS)


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("name", ["execute", "_execute", "_execute_with_wrappers"])
async def test_patched_cursor_wrapper_sees_statements_as_from_django(name, wrapped):
    djangos, plans = await seen_by(lambda: watching(CursorWrapper, name, wrapped=wrapped))

    assert plans == djangos


async def test_patched_wrapper_class_makes_as_many_cursors_as_from_django():
    djangos, plans = await seen_by(lambda: watching(BaseDatabaseWrapper, "make_cursor"))

    assert len(plans) == len(djangos)


class traced:  # noqa: N801 -- a function with two ends
    """Watch the cursors of each connection that is looked up, as Datadog's tracer does."""

    def __enter__(self):
        self.seen, self.connections = [], []
        self.original = original = ConnectionHandler.__getitem__

        def lookup(handler, alias):
            found = original(handler, alias)
            if "cursor" not in vars(found):
                self.connections.append(found)
                found.cursor = self.watched(found.cursor)
            return found

        ConnectionHandler.__getitem__ = lookup
        return self.seen

    def watched(self, cursor):
        def made(*args, **kwargs):
            self.seen.append("cursor")
            return cursor(*args, **kwargs)

        return made

    def __exit__(self, *error):
        del ConnectionHandler.__getitem__
        for each in self.connections:
            del each.cursor


async def test_tracer_that_replaces_the_lookup_of_connections_sees_each_cursor():
    djangos, plans = await seen_by(traced)

    assert plans == djangos


async def test_receiver_that_hooks_each_new_connection_sees_statements_as_from_django(make_alias):
    alias = make_alias(pool={"min_size": 0, "max_size": 1})
    seen = []

    def note(execute, sql, params, many, context):
        seen.append((sql, params))
        return execute(sql, params, many, context)

    def hook(connection, **kwargs):
        if connection.alias == alias:
            connection.execute_wrappers.append(note)

    connection_created.connect(hook)
    try:
        with plans_off():
            await all_works(alias)
        djangos = list(seen)
        await all_works(alias)
        seen.clear()
        await all_works(alias)
        assert seen == djangos
        assert len(djangos) >= 3 * len(WORKS)
    finally:
        connection_created.disconnect(hook)
        await close_pools()


async def test_engine_with_cursors_of_its_own_makes_those_of_plans_too(make_alias, direct):
    alias = make_alias(ENGINE="tests.testapp.watched", pool={"max_size": 1})
    with plans_off():
        await all_works(alias)
        watched.made.clear()
        await all_works(alias)
    djangos = list(watched.made)
    await all_works(alias)
    watched.made.clear()
    await all_works(alias)

    assert watched.made == djangos
    assert len(djangos) >= 3 * len(WORKS)
    assert direct == []


async def test_statement_in_a_block_is_seen_between_its_begin_and_its_end():
    async def work():
        async with atomic():
            await Author.objects.filter(pk=1).alist()
            await Author.objects.filter(pk=1)[:1].acount()

    async def captured():
        with CaptureQueriesContext(connection) as queries:
            await work()
        return [query["sql"] for query in queries]

    with plans_off():
        djangos = await captured()
    await work()
    assert await captured() == djangos
    assert len(djangos) == 4


async def test_watcher_that_comes_or_goes_between_two_uses_is_heeded(direct):
    await all_works()
    for _ in range(3):
        direct.clear()
        with CaptureQueriesContext(connection) as queries:
            await Author.objects.filter(pk=1).aupdate(age=1)
        assert (len(queries), direct) == (1, [])
        await Author.objects.filter(pk=1).aupdate(age=1)
        assert len(direct) == 1


# The modes.


def with_plans(mode):
    return override_settings(TURBO_ORM={"PLANS": mode, "POOL": {}})


async def test_off_records_nothing_and_gives_the_same():
    expected = await all_works()
    with with_plans("off"):
        clear_plans()
        assert Author.objects.filter(pk=1)._record is None
        assert await all_works() == expected
        assert (plan_stats().hits, plan_stats().misses, cache.nodes) == (0, 0, 0)


async def test_verify_gives_the_same_and_uses_plans():
    expected = await all_works()
    with with_plans("verify"):
        clear_plans()
        assert await all_works() == expected
        assert await all_works() == expected
        assert plan_stats().hits >= 3 * len(WORKS)


def _plan(queryset, terminal="rows"):
    return queryset._record.node.plans[terminal, "default"]


async def test_verify_finds_other_sql():
    with with_plans("verify"):
        await Author.objects.filter(pk=1).alist()
        plan = _plan(Author.objects.filter(pk=1))
        plan.sql = plan.sql.replace("WHERE", "WHERE  ")
        with pytest.raises(
            PlanMismatch,
            match="other SQL than Django in iteration of testapp.Author on database 'default' .*"
            "SELECT.*: .*Django's is .* lets Django execute all queries",
        ):
            await Author.objects.filter(pk=2).alist()


async def test_verify_finds_other_parameters_and_other_types_of_them():
    with with_plans("verify"):
        for bind in (lambda values: (values[0] + 1,), lambda values: (float(values[0]),)):
            clear_plans()
            await Author.objects.filter(pk=1).acount()
            _plan(Author.objects.filter(pk=1), "count").bind = bind
            with pytest.raises(
                PlanMismatch,
                match=r"other parameters than Django in count\(\) of .*COUNT.*: \[0\]: ",
            ):
                await Author.objects.filter(pk=2).acount()


async def test_verify_finds_other_objects():
    with with_plans("verify"):
        await Author.objects.filter(pk=1).alist()
        plan = _plan(Author.objects.filter(pk=1))
        hydrator = plan.hydrator

        def tampered(*args):
            found = hydrator(*args)
            found[0].name = "other"
            return found

        tampered.still_valid, tampered.pure = hydrator.still_valid, hydrator.pure
        plan.hydrator = tampered
        with pytest.raises(
            PlanMismatch,
            match=r"other objects than Django in .*: \[0\]\.name: 'other', Django's is '1'",
        ):
            await Author.objects.filter(pk=2).alist()


async def test_without_verify_a_tampered_plan_is_believed():
    await Author.objects.filter(pk=1).alist()
    _plan(Author.objects.filter(pk=1)).bind = lambda values: (3,)

    assert [author.pk for author in await Author.objects.filter(pk=2).alist()] == [3]


async def test_raw_sql_and_own_expressions_are_left_to_django_in_every_mode():
    class Own(RawSQL):
        pass

    for mode in ("on", "verify", "off"):
        with with_plans(mode):
            for number in (1, 2, 1):
                found = await Author.objects.annotate(n=Own("%s", [number])).filter(pk=1).aget()
                assert found.n == number


async def test_mode_that_means_nothing_is_refused():
    with pytest.raises(ImproperlyConfigured), override_settings(TURBO_ORM={"PLANZ": "on"}):
        await run_sync(lambda: connections["default"].ensure_connection())
        from turbo_orm.conf import get_settings

        get_settings()
