"""Every private name of Django, asgiref and Python that this library uses, checked at start-up.

A release may rename any of them. What cannot do without it is then turned off, or the application
refuses to start. A new use of such a name needs a row in this table. ``pool.driver`` has the names
of psycopg, each adapter's ``names`` those of its framework.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable
from importlib.util import find_spec

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from .. import foreign
from ..conf import turn_off
from ..foreign import PrivateName, Uses

logger = logging.getLogger("turbo_orm")

# What needs a name.
ESSENTIAL = "essential"
PLANS = "plans"
REDIRECTS = "redirects"
TESTS = "turbo_orm.test"
# Adapters: the name of a package.
DRF = "turbo_orm_drf"
STRAWBERRY = "turbo_orm_strawberry"

# The newest releases that the tests run with.
TESTED = {"django": "django~=6.1.0", "asgiref": "asgiref~=3.13.0"}

_QUERYSET = "django.db.models.query.QuerySet"
_WRAPPER = "django.db.backends.base.base.BaseDatabaseWrapper"
_STREAM = "django.http.response.StreamingHttpResponse"
_SERVING = (
    PrivateName(
        "django.http.response.HttpResponseBase", "_handler_class", ("__init__", "close"), ESSENTIAL
    ),
    PrivateName(
        "django.core.handlers.base.BaseHandler",
        "_non_atomic_requests",
        ("make_view_atomic",),
        ESSENTIAL,
    ),
    PrivateName("django.urls.resolvers.RoutePattern", "_route", ("__init__",), ESSENTIAL),
    PrivateName("django.urls.resolvers.RegexPattern", "_regex", ("__init__",), ESSENTIAL),
)


def _all(
    owner: str, names: Iterable[str], needs: str, users: tuple[str, ...] = ()
) -> tuple[PrivateName, ...]:
    return tuple(PrivateName(owner, name, users, needs) for name in names)


TABLE: tuple[PrivateName, ...] = (
    # The connection that Django finds, and the wrapper around it.
    PrivateName(
        "django.utils.connection.BaseConnectionHandler", "_connections", ("__init__",), ESSENTIAL
    ),
    PrivateName(_WRAPPER, "_thread_ident", ("__init__",), ESSENTIAL),
    *_all(
        _WRAPPER,
        (
            *("_close", "_commit", "_rollback", "_savepoint_commit", "_savepoint_rollback"),
            "_set_autocommit",
        ),
        ESSENTIAL,
    ),
    PrivateName(
        "django.db.backends.postgresql.base.DatabaseWrapper",
        "_named_cursor_idx",
        ("chunked_cursor",),
        ESSENTIAL,
    ),
    *_all(_WRAPPER, ("_cursor", "_prepare_cursor"), PLANS),
    *_all("django.db.backends.utils.CursorWrapper", ("_execute", "_execute_with_wrappers"), PLANS),
    # Our querysets and managers override these, or set what Django keeps there.
    *_all(
        _QUERYSET,
        (
            *("_chain", "_clone", "_fetch_all", "_iterator", "_next_is_sticky"),
            *("_prefetch_related_objects", "_update", "_add_hints"),
        ),
        ESSENTIAL,
    ),
    *_all(
        _QUERYSET,
        (
            *("_db", "_deferred_filter", "_defer_next_filter", "_fields", "_for_write", "_hints"),
            *("_iterable_class", "_known_related_objects", "_prefetch_done"),
            *("_prefetch_related_lookups", "_query", "_result_cache", "_sticky_filter"),
        ),
        ESSENTIAL,
        ("__init__",),
    ),
    PrivateName(_QUERYSET, "_cloning_enabled", ("__init__",), ESSENTIAL, since=(6, 1)),
    PrivateName(_QUERYSET, "_fetch_mode", ("__init__",), ESSENTIAL, since=(6, 1)),
    *_all("django.db.models.manager.BaseManager", ("_db", "_hints"), ESSENTIAL, ("__init__",)),
    PrivateName(
        "django.db.models.manager.BaseManager", "_queryset_class", ("get_queryset",), ESSENTIAL
    ),
    PrivateName(_QUERYSET, "_built_with_as_manager", ("as_manager",), ESSENTIAL),
    PrivateName(
        "django.db.models.query",
        "_prefetched_objects_cache",
        ("prefetch_related_objects",),
        ESSENTIAL,
    ),
    PrivateName("django.db.models.base.Model", "_get_next_or_previous_by_FIELD", needs=ESSENTIAL),
    # Where these differ, plans would answer something else than Django.
    *_all(
        _QUERYSET,
        (
            *("_annotate", "_earliest", "_filter_or_exclude", "_filter_or_exclude_inplace"),
            *("_insert", "_raw_delete", "_values"),
        ),
        PLANS,
    ),
    PrivateName("django.db.models.base.Model", "_do_update", needs=PLANS),
    PrivateName("django.db.models.query", "_get_from_db", needs=PLANS, since=(6, 1, 1)),
    *_all(
        "django.db.models.query_utils.RegisterLookupMixin",
        ("_clear_cached_class_lookups", "_unregister_class_lookup"),
        PLANS,
    ),
    *_all("django.db.models.query_utils.Q", ("_connector", "_negated"), PLANS, ("__init__",)),
    PrivateName("django.utils.deconstruct", "_constructor_args", ("deconstructible",), PLANS),
    *_SERVING,
    # What is put in the place of Django's `a*` methods, signals, handlers and passwords.
    PrivateName("django.db.transaction.Atomic", "_from_testcase", ("__init__",), REDIRECTS),
    PrivateName("asgiref.sync.SyncToAsync", "_thread_sensitive", ("__init__",), REDIRECTS),
    PrivateName(_STREAM, "_set_streaming_content", needs=REDIRECTS),
    PrivateName(_STREAM, "_iterator", ("_set_streaming_content",), REDIRECTS),
    # Who awaits a task, and so lets it into a block.
    PrivateName("asyncio.Future", "_callbacks", needs=REDIRECTS),
    PrivateName("asyncio.Task", "_fut_waiter", needs=REDIRECTS),
    PrivateName("asyncio.TaskGroup", "_parent_task", ("__init__",), REDIRECTS, since=(3, 11)),
    PrivateName("django.dispatch.dispatcher", "_run_parallel", needs=REDIRECTS, since=(6, 1)),
    PrivateName(
        "django.contrib.auth.models.UserManager", "_acreate_user", needs=REDIRECTS, since=(5, 2)
    ),
    PrivateName(
        "django.contrib.sessions.backends.cache.SessionStore", "_cache", ("__init__",), REDIRECTS
    ),
    # What only tests need.
    PrivateName(
        "django.test.TransactionTestCase", "_test_serialized_contents", ("_fixture_setup",), TESTS
    ),
    *_all("django.test.TestCase", ("_enter_atomics", "_rollback_atomics"), TESTS),
    *_all("django.test.SimpleTestCase", ("_post_teardown", "_pre_setup", "_setup_and_call"), TESTS),
    PrivateName("django.test.SimpleTestCase", "_pre_setup_ran_eagerly", needs=TESTS, since=(5, 2)),
    PrivateName("django.test.client.AsyncClient", "_ahandle_redirects", needs=TESTS, since=(5, 0)),
    *_all("unittest.IsolatedAsyncioTestCase", ("_callSetUp", "_callTestMethod"), TESTS),
    PrivateName(
        "unittest.IsolatedAsyncioTestCase",
        "_asyncioTestContext",
        ("__init__",),
        TESTS,
        since=(3, 11),
    ),
    PrivateName("unittest.TestCase", "_testMethodName", ("__init__",), TESTS),
    PrivateName("threading.Thread", "_target", ("__init__",), TESTS),
    PrivateName(
        "concurrent.futures.ThreadPoolExecutor", "_thread_name_prefix", ("__init__",), TESTS
    ),
    PrivateName("django.core.paginator.Paginator", "_get_page", needs=DRF),
    PrivateName("django.utils.functional.LazyObject", "_wrapped", ("__init__",), STRAWBERRY),
    PrivateName(
        "django.contrib.sessions.backends.base.SessionBase",
        "_session_cache",
        ("_get_session",),
        STRAWBERRY,
    ),
)


# The dotted paths of names that plans need and this Django lacks.
gone: set[str] = set()


@functools.lru_cache(maxsize=1)
def check() -> None:
    """Check what the bridge cannot do without, and turn plans off if a name of theirs is gone.

    Raises:
        ImproperlyConfigured: a name is gone that is essential.
    """
    _refuse(ESSENTIAL)
    faults = missing(PLANS)
    for row, fault in faults:
        logger.warning("%s Plans are off. %s", _told(row, fault), _remedy(row))
    gone.update(row.path for row, _ in faults)
    if gone:
        turn_off(PLANS="off")
        from ..plan.cache import cache

        # It may have read the settings already.
        cache.configure()


def fit_for_redirects() -> bool:
    """Tell whether this Django has all that the redirects need, and log what it lacks.

    Raises:
        ImproperlyConfigured: an adapter that is installed needs a name that is gone.
    """
    _refuse(*(adapter for adapter in (DRF, STRAWBERRY) if find_spec(adapter)))
    faults = missing(REDIRECTS)
    for row, fault in faults:
        logger.warning(
            "%s Django's own names are left alone, as with TURBO_ORM = {'REDIRECT_DJANGO': False}; "
            "AsyncManager and AsyncModel work without them. %s",
            *(_told(row, fault), _remedy(row)),
        )
    if faults:
        turn_off(REDIRECT_DJANGO=False)
    return not faults


def check_tests() -> None:
    """Check what only tests need.

    Raises:
        ImproperlyConfigured: a name is gone.
    """
    _refuse(TESTS)


def uses() -> Uses:
    """Return what is checked at present."""
    return Uses("Turbo ORM", TABLE, TESTED)


def missing(*needs: str) -> list[tuple[PrivateName, str]]:
    """Return the rows of which this Django lacks the name, and what is wrong with each.

    Args:
        *needs: the rows that are looked at.
    """
    return foreign.missing(row for row in TABLE if row.needs in needs and _is_loaded(row))


def _is_loaded(row: PrivateName) -> bool:
    app = row.owner.partition(".models.")[0]
    return not app.startswith("django.contrib.") or app == row.owner or apps.is_installed(app)


def _refuse(*needs: str) -> None:
    for row, fault in missing(*needs):
        raise ImproperlyConfigured(f"{_told(row, fault)} {_remedy(row)}")


def _told(row: PrivateName, fault: str) -> str:
    return uses().told(row, fault)


def _remedy(row: PrivateName) -> str:
    return uses().remedy(row)
