"""Whoever replaces something of Django's is called as often as in plain Django, plans or not."""

import contextlib
import functools
import inspect
import sys
import uuid
from types import MethodType

import django
import pytest
from django.db import models
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models import Count, Manager, Q, QuerySet
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import WhereNode

from tests.plans import plans_off
from tests.testapp.models import Reading
from turbo_orm import AsyncQuerySet, clear_plans, plan_stats, portal, run_sync
from turbo_orm.plan import originals, parts, skipped
from turbo_orm.plan.originals import is_djangos
from turbo_orm.query.planned import METHODS

pytestmark = pytest.mark.rolled_back

KEY = uuid.UUID(int=1)
# A chain, how it ends, and with what.
ROWS = {
    "list": (lambda rows: rows.filter(value=1).order_by("-pk")[:3], list, {}),
    "joined": (lambda rows: rows.select_related("measure").distinct(), list, {}),
    "values": (lambda rows: rows.exclude(value=2).values("value"), list, {}),
    "tuples": (lambda rows: rows.order_by("pk").reverse().values_list("pk", "value"), list, {}),
    "flat": (lambda rows: rows.annotate(n=Count("pk")).values_list("n", flat=True), list, {}),
    "named": (lambda rows: rows.values_list("value", named=True), list, {}),
    "deferred": (lambda rows: rows.alias(n=Count("pk")).defer("value"), list, {}),
    "only": (lambda rows: rows.only("value").prefetch_related("measure"), list, {}),
}
WORKS = {
    **ROWS,
    "looked": (
        lambda rows: rows.filter(
            value__in=[1], value__contains="1", measure=KEY, measure__in=[KEY]
        ),
        list,
        {},
    ),
    "get": (lambda rows: rows, "get", {"value": 1}),
    "first": (lambda rows: rows.filter(value=1), "first", {}),
    "last": (lambda rows: rows.filter(value=1), "last", {}),
    "earliest": (lambda rows: rows.filter(value=1), "earliest", ["pk"]),
    "latest": (lambda rows: rows.filter(value=1), "latest", ["pk"]),
    "count": (lambda rows: rows.filter(value=1), "count", {}),
    "count of some": (lambda rows: rows.filter(value=1)[:2], "count", {}),
    "exists": (lambda rows: rows.filter(value=1), "exists", {}),
    "aggregate": (lambda rows: rows.filter(value=1), "aggregate", {"n": Count("pk")}),
    "contains": (lambda rows: rows.filter(value=1), "contains", [Reading(pk=1)]),
    "in_bulk": (lambda rows: rows, "in_bulk", [[1]]),
    "update": (lambda rows: rows.filter(value=3), "update", {"value": 4}),
    "delete": (lambda rows: rows.filter(value=3), "delete", {}),
    "create": (lambda rows: rows, "create", {"value": 5}),
    "update_or_create": (
        lambda rows: rows,
        "update_or_create",
        {"value": 1, "defaults": {"value": 1}},
    ),
}
# The former exists no more as a method that Django looks for.
PLACEHOLDER = "get_placeholder" if django.VERSION < (6, 1) else "get_placeholder_sql"
# Of the log of queries there are tests of their own. In the bridge a wrapper has the other methods
# as they were when its class was made.
OTHERWISE = ("create_cursor", "cursor", "ensure_connection", "make_debug_cursor")

# Modules whose methods write SQL.
WRITERS = (
    *("django.db.backends.base.operations", "django.db.backends.postgresql.operations"),
    *("django.db.models.aggregates", "django.db.models.expressions", "django.db.models.fields"),
    *("django.db.models.functions", "django.db.models.lookups", "django.db.models.query"),
    "django.db.models.sql",
)
# What Django calls meanwhile, and no plan looks at, by why it does not.
LEFT_OUT = {
    "it is asked by what runs as ever": (
        *("bulk_batch_size", "create", "fetch_mode", "fetch_one", "for_update_sql", "get_default"),
        *("get_current_prefetch_to", "get_current_queryset", "get_current_querysets"),
        *("get_current_to_attr", "get_prefetch_queryset"),
        *("get_local_related_value", "get_or_create", "get_pk_value_on_save"),
        *("get_prefetch_querysets", "get_queryset", "get_select_for_update_of_arguments"),
        *("has_db_default", "is_cached", "savepoint_commit_sql", "savepoint_create_sql"),
        *("select_for_update", "set_cached_value", "update_or_create", "using"),
    ),
    "it tells about an object": (
        *("can_filter", "check_alias", "check_filterable", "check_query_object_type"),
        *("check_related_objects", "check_rhs_is_tuple_or_list"),
        *("check_rhs_elements_length_equals_lhs_length", "count_active_tables", "db_type"),
        *("check_rhs_is_collection_of_tuples_or_lists", "db_type_parameters", "get_cols"),
        *("get_cache_name", "get_class_lookups", "get_instance_lookups", "get_internal_type"),
        *("get_meta", "is_hidden"),
        *("get_path_info", "get_refs", "get_select_from_parent", "get_source_expressions"),
        *("has_composite_fields", "is_empty", "is_nullable", "rel_db_type"),
        *("related_query_name", "rhs_is_direct_value"),
    ),
    "it makes or copies an object, or notes something in it": (
        *("add_votes", "append_annotation_mask", "clear_deferred_loading", "clear_limits"),
        *("clear_select_clause", "clear_select_fields", "clone", "copy", "demote", "from_param"),
        *("ref_alias", "relabeled_clone", "replace_expressions", "reset_refcounts"),
        *("set_annotation_mask", "set_extra_mask", "set_group_by", "set_source_expressions"),
        *("unref_alias", "update_join_types"),
    ),
}


def table():
    """Return every name that plans skip, base classes first: a wrapper stands around theirs."""
    tables = [
        *skipped.LEARNING,
        *(names for of_kind in skipped.SKIPPED.values() for names in of_kind),
        *(
            (getattr(module, kind), attributes)
            for module in (skipped.compilers, skipped.postgresqls)
            for kind, attributes in skipped.COMPILERS.items()
        ),
    ]
    found = dict.fromkeys((owner, name) for owner, attributes in tables for name in attributes)
    return [
        (owner, name)
        for owner, name in sorted(found, key=lambda each: len(getattr(each[0], "__mro__", ())))
        if originals.original(owner, name) is not None
        and (owner is not skipped.DatabaseWrapper or name not in OTHERWISE)
        # A plan may look its connection up once where Django's compilers do so twice.
        and owner is not skipped.ConnectionHandler
    ]


FIELDS = (models.Field, models.ForeignObjectRel)
OF_FIELDS = (*parts.OF_COLUMNS, *parts.OF_COMPARED, *parts.OF_JOINED, *parts.OF_SAVED)
OF_OPERATIONS = (*skipped.OPERATIONS, *skipped.OPERATIONS_INSERTING)


def of_parts():
    """Return every name of the classes that statements consist of, where it is defined."""
    kinds = {kind: root for root in parts.ROOTS for kind in parts.every(root) if is_djangos(kind)}
    given = [
        (base, OF_FIELDS if root in FIELDS else parts.names_of_node(kind))
        for kind, root in kinds.items()
        for base in kind.__mro__
    ]
    given += [(base, OF_OPERATIONS) for base in DatabaseOperations.__mro__]
    others = [each for _, others in parts.OF_OTHERS for each in others]
    given += [
        (kind, names) for base, names in others for kind in (base, *kinds) if issubclass(kind, base)
    ]
    return list(
        dict.fromkeys((base, name) for base, names in given for name in names if name in vars(base))
    )


NAMES = table()
PART_NAMES = [
    (kind, name)
    for kind, name in of_parts()
    if (kind, name) not in NAMES and (name != "__init__" or issubclass(kind, models.Lookup))
]


@pytest.fixture(autouse=True)
async def _rows():
    await Reading.objects.abulk_create(Reading(value=value) for value in (1, 2))
    clear_plans()


async def ado(rows, work):
    chain, method, arguments = WORKS[work]
    queryset = chain(rows)
    if method is list:
        return [row async for row in queryset]
    args, kwargs = (arguments, {}) if isinstance(arguments, list) else ((), arguments)
    return await getattr(queryset, f"a{method}")(*args, **kwargs)


async def as_django(work):
    """Do a work as plain Django does."""
    with plans_off():
        return await portal(ado(QuerySet(Reading), work))


class Replaced:
    """A name of Django's, replaced by what counts its calls."""

    def __init__(self, owner, name):
        self.owner, self.name, self.calls = owner, name, 0

    def __enter__(self):
        self.own = self.name in vars(self.owner)
        self.before = before = vars(self.owner).get(self.name)
        value = before if self.own else getattr(self.owner, self.name)
        if isinstance(value, property):
            made = property(self.counting(value.fget), value.fset)
        elif isinstance(value, classmethod | MethodType):
            made = classmethod(self.counting(value.__func__))
        else:
            made = self.counting(value)
        setattr(self.owner, self.name, made)
        return self

    def counting(self, function):
        @functools.wraps(function)
        def counted(*args, **kwargs):
            self.calls += 1
            return function(*args, **kwargs)

        return counted

    def __exit__(self, *error):
        if self.own:
            setattr(self.owner, self.name, self.before)
        else:
            delattr(self.owner, self.name)


def plain_manager():
    manager = Manager()
    manager.model = Reading
    return manager


async def in_portal(rows, work):
    return await portal(ado(rows, work))


WAYS = {"ours": (Reading.objects, ado), "plain": (plain_manager(), in_portal)}
# What Django does in a transaction that is rolled back, and what several plans do.
NO_HIT = {"delete"}


@contextlib.contextmanager
def counting_all():
    """Replace every name at once; give the calls of each by then."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(Replaced(*name)) for name in (*NAMES, *PART_NAMES)]
        yield lambda: {(each.owner, each.name): each.calls for each in made}


async def test_each_name_is_called_by_some_work():
    with counting_all() as counted:
        for work in WORKS:
            await as_django(work)
        called = counted()
        assert [name for name in NAMES if not called[name]] == []


@pytest.mark.parametrize("work", WORKS)
async def test_what_replaces_a_name_is_called_as_often_as_in_plain_django(work):
    with counting_all() as counted:
        await as_django(work)
        expected = {name: calls for name, calls in counted().items() if calls}
    # Both ways have the same plans, whose parts they have in common.
    names = {"ours": [*expected], "plain": [name for name in expected if name in NAMES]}
    found = {}
    for way, (rows, do) in WAYS.items():
        for name in ["no name yet", *names[way], "none any more"]:
            before = plan_stats().hits
            if isinstance(name, str):
                await do(rows, work)
                await do(rows, work)
                assert plan_stats().hits > before or work in NO_HIT
                continue
            with Replaced(*name) as replaced:
                await do(rows, work)
                found[way, name] = replaced.calls
    assert found == {(way, name): expected[name] for way in WAYS for name in names[way]}


@pytest.mark.parametrize("work", WORKS)
async def test_what_is_replaced_while_a_chain_is_written_is_called_by_then(work):
    chain, _, _ = WORKS[work]
    with counting_all() as counted:
        chain(QuerySet(Reading))
        called = counted()
        expected = {name: called[name] for name in NAMES if called[name]}
    for _ in range(2):
        await ado(Reading.objects, work)
    found = {}
    for name in expected:
        with Replaced(*name) as replaced:
            chain(AsyncQuerySet(Reading))
            found[name] = replaced.calls
    assert found == expected


async def hits(work):
    before = plan_stats().hits
    await ado(Reading.objects, work)
    return plan_stats().hits - before


async def test_once_it_is_put_back_the_plan_is_used_again():
    assert [await hits("get"), await hits("get")] == [0, 1]
    with Replaced(SQLCompiler, "execute_sql"):
        assert await hits("get") == 0
        # This one was never done before.
        assert [await hits("count"), await hits("count")] == [0, 0]
    assert await hits("get") == 1
    assert [await hits("count"), await hits("count")] == [0, 1]


METHOD_OF = {"_fetch_all": "list", "_update": "update_or_create"}


class Own(AsyncQuerySet):
    """A queryset class of a project, whose methods are replaced in a test."""


def wrapped_on(queryset, name, calls):
    """Put a method on a queryset itself, as django-money does."""
    method = getattr(queryset, name)

    def wrapper(*args, **kwargs):
        calls.append(name)
        return method(*args, **kwargs)

    setattr(queryset, name, wrapper)
    return queryset


@pytest.mark.parametrize(
    "work", [work for work in WORKS if WORKS[work][1] is not list and "of" not in work]
)
async def test_a_method_put_on_a_queryset_is_called_as_often_as_in_plain_django(work):
    def with_own(made, calls):
        # Of those that the method calls, too.
        for name in (WORKS[work][1], "filter", "order_by", "reverse", "_fetch_all", "_update"):
            wrapped_on(made, name, calls)
        return made

    expected, calls = [], []
    chain, method, arguments = WORKS[work]
    args, kwargs = (arguments, {}) if isinstance(arguments, list) else ((), arguments)
    for _ in range(3):
        expected.clear()
        calls.clear()
        with plans_off():
            plain = with_own(chain(QuerySet(Reading)), expected)
            await portal(getattr(plain, f"a{method}")(*args, **kwargs))
        await getattr(with_own(chain(AsyncQuerySet(Reading)), calls), f"a{method}")(*args, **kwargs)
        assert calls == expected != []


@pytest.mark.parametrize("owner", [AsyncQuerySet, Own], ids=["ours", "a project's"])
@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"_update"}))
async def test_a_method_replaced_on_a_class_is_called_as_often_as_on_djangos(owner, name):
    work = METHOD_OF.get(name, name)
    with Replaced(QuerySet, name) as replaced:
        await as_django(work)
    expected = replaced.calls
    for _ in range(2):
        await ado(owner(Reading), work)
    with Replaced(owner, name) as replaced:
        await ado(owner(Reading), work)
    assert replaced.calls == expected > 0
    before = plan_stats().hits
    await ado(owner(Reading), work)
    # In the block of a test that is rolled back, Django deletes.
    assert plan_stats().hits > before or work == "delete"


@pytest.mark.parametrize("name", ["__init__", "__setattr__", "from_db"])
@pytest.mark.parametrize("work", ["list", "get", "joined"])
async def test_what_makes_instances_of_a_model_may_be_replaced_at_any_time(work, name):
    for _ in range(2):
        await ado(Reading.objects, work)
    with Replaced(Reading, name) as replaced:
        await as_django(work)
        expected = replaced.calls
        for times in (2, 3):
            await ado(Reading.objects, work)
            assert replaced.calls == times * expected > 0


async def test_a_lookup_of_one_plan_may_be_replaced_at_any_time():
    for times in range(3):
        assert await hits("list") == (times > 0)
    lookup = models.IntegerField().get_lookup("exact")
    with Replaced(lookup, "process_rhs") as replaced:
        await ado(Reading.objects, "list")
        assert replaced.calls == 1
    assert await hits("list") == 1


@pytest.mark.parametrize(
    ("owner", "name", "work"),
    [
        (Col, "as_postgresql", "list"),
        (Count, "as_postgresql", "flat"),
        (WhereNode, "as_postgresql", "exists"),
        (models.IntegerField, "from_db_value", "values"),
        (models.IntegerField, PLACEHOLDER, "update"),
    ],
)
async def test_a_method_that_django_looks_for_may_be_added_at_any_time(owner, name, work):
    added = {
        "as_postgresql": lambda self, *args, **kwargs: self.as_sql(*args, **kwargs),
        "from_db_value": lambda self, value, expression, connection: value,
        "get_placeholder": lambda self, value, compiler, connection: "%s",
        "get_placeholder_sql": lambda self, value, compiler, connection: ("%s", (value,)),
    }
    assert [await hits(work), await hits(work)] == [0, 1]
    setattr(owner, name, added[name])
    try:
        with Replaced(owner, name) as replaced:
            await as_django(work)
            expected, replaced.calls = replaced.calls, 0
            assert await hits(work) == 0
            assert replaced.calls == expected > 0
    finally:
        delattr(owner, name)
    assert await hits(work) == 1


@pytest.mark.parametrize(
    ("owner", "name", "work"),
    [
        (Col, "resolve_expression", "list"),
        (Count, "as_sql", "aggregate"),
        (Join, "as_sql", "joined"),
        (models.IntegerField, "get_col", "get"),
        (models.BigAutoField, "get_db_converters", "list"),
    ],
)
async def test_an_inherited_method_may_be_replaced_on_the_class_of_a_part(owner, name, work):
    assert [await hits(work), await hits(work)] == [0, 1]
    with Replaced(owner, name) as replaced:
        await as_django(work)
        expected, replaced.calls = replaced.calls, 0
        assert await hits(work) == 0
        assert replaced.calls == expected > 0
    assert await hits(work) == 1


def called_of_django(works):
    """Return which methods of Django's models and operations are called by some work."""
    found = set()

    def note(frame, event, arg):
        code = frame.f_code
        module = frame.f_globals.get("__name__", "")
        if event != "call" or not code.co_argcount or not module.startswith(WRITERS):
            return
        first = frame.f_locals.get(code.co_varnames[0])
        for base in first.__mro__ if isinstance(first, type) else type(first).__mro__:
            value = vars(base).get(code.co_name)
            method = inspect.unwrap(getattr(value, "__func__", value))
            if getattr(method, "__code__", None) is code:
                found.add((base, code.co_name))

    for chain, method, arguments in works:
        args, kwargs = (arguments, {}) if isinstance(arguments, list) else ((), arguments)
        sys.setprofile(note)
        try:
            queryset = chain(QuerySet(Reading))
            list(queryset) if method is list else getattr(queryset, method)(*args, **kwargs)
        finally:
            sys.setprofile(None)
    return found


async def test_every_method_that_writes_sql_is_known_or_left_out_on_purpose():
    with plans_off():
        called = await run_sync(called_of_django, WORKS.values())
    known = {name for names in LEFT_OUT.values() for name in names}
    unknown = sorted(
        f"{kind.__module__}.{kind.__qualname__}.{name}"
        for kind, name in called - {*NAMES, *PART_NAMES}
        if not name.startswith("_") and name not in known and (kind, name) != (Q, "create")
    )
    assert ", ".join(unknown) == ""


async def test_nothing_is_learnt_while_a_part_is_replaced():
    for name in ("as_sql", "resolve_expression"):
        clear_plans()
        with Replaced(Count, name) as replaced:
            await as_django("flat")
            expected = replaced.calls
            for times in (2, 3):
                assert await hits("flat") == 0
                assert replaced.calls == times * expected > 0
        assert [await hits("flat"), await hits("flat")] == [0, 1]


async def test_a_recorded_chain_goes_on_with_what_was_replaced_since():
    base = Reading.objects.filter(value=1)
    await base.alist()
    with Replaced(QuerySet, "_filter_or_exclude") as replaced:
        assert [row.value for row in await base.filter(pk__gt=0).alist()] == [1]
        assert replaced.calls == 1
    with Replaced(QuerySet, "_chain") as replaced:
        base.all()
        assert replaced.calls == 1


def test_what_was_replaced_before_this_library_was_loaded_is_not_taken_for_djangos():
    def replaced():
        """Somebody's."""

    assert originals.is_original(QuerySet.get)
    assert not originals.is_original(functools.wraps(QuerySet.get)(lambda *args: replaced()))
    assert not originals.is_original(replaced)
