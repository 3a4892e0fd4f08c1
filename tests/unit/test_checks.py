"""Each system check says what is wrong, and keeps quiet when nothing is."""

import copy
import inspect
import sys
import types

import django
import pytest
from django.core.checks import DEBUG, registry, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import override_settings
from psycopg_pool import ConnectionPool

from tests.testapp.models import Author
from turbo_orm import checks
from turbo_orm.conf import TurboSettings, get_settings
from turbo_orm.connection.engine import ASYNC_ENGINE, is_postgresql_engine
from turbo_orm.locals.report import Missed, Report


@pytest.fixture
def default(monkeypatch):
    """The settings of the default database, to be changed by a test."""
    changed = copy.deepcopy(connections.settings["default"])
    monkeypatch.setitem(connections.settings, "default", changed)
    return changed


def found(check):
    return [(message.id, message.msg, message.hint) for message in check()]


def test_the_test_project_has_no_findings():
    assert [m for m in run_checks() if m.id.startswith("turbo_orm")] == []


def test_every_check_is_registered():
    assert set(checks.ALL) <= registry.registry.registered_checks
    assert set(checks.ASKED_FOR) <= registry.registry.deployment_checks


@override_settings(TURBO_ORM={"REDIRECT": True, "POOL": {}})
def test_e001_an_unknown_key():
    assert found(checks.check_settings) == [
        (
            "turbo_orm.E001",
            "TURBO_ORM has an unknown key: 'REDIRECT'.",
            (
                "Did you mean 'REDIRECT_DJANGO'? Known keys are CLEANUP_TIMEOUT, "
                "DISCONNECT_PATIENCE, PLANS, PLAN_CACHE_SIZE, POOL, REDIRECT_DJANGO, "
                "REQUEST_LOCALS, REQUIRE_DATABASE, RESET_SESSIONS, SYNC_THREADS, SYNC_VIEWS."
            ),
        )
    ]


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ({"PLANS": "yes"}, "TURBO_ORM['PLANS'] is 'yes'.", "Write one of 'on', 'off', 'verify'."),
        (
            {"DISCONNECT_PATIENCE": -1},
            "TURBO_ORM['DISCONNECT_PATIENCE'] is -1.",
            "Write a number of seconds such as 0.1, or 0 to listen at once.",
        ),
        (
            {"PLAN_CACHE_SIZE": 0},
            "TURBO_ORM['PLAN_CACHE_SIZE'] is 0, not a number of plans.",
            "Write a number such as 1000, or 'PLANS': 'off' to keep none.",
        ),
        (
            {"PLAN_CACHE_SIZE": "many"},
            "TURBO_ORM['PLAN_CACHE_SIZE'] is 'many', not a number of plans.",
            "Write a number such as 1000, or 'PLANS': 'off' to keep none.",
        ),
        (
            {"SYNC_VIEWS": "bridge"},
            "TURBO_ORM['SYNC_VIEWS'] is 'bridge'.",
            "Write one of 'thread', 'loop'.",
        ),
        (
            {"REQUIRE_DATABASE": "default"},
            "TURBO_ORM['REQUIRE_DATABASE'] is 'default'.",
            "Write True or False.",
        ),
        (
            {"RESET_SESSIONS": True},
            "TURBO_ORM['RESET_SESSIONS'] is True.",
            "Write one of 'auto', 'always', False.",
        ),
        *(
            (
                {"SYNC_THREADS": number},
                f"TURBO_ORM['SYNC_THREADS'] is {number!r}.",
                "Write a number of threads such as 40, 1 or more.",
            )
            for number in (0, -1, 2.0, "40", True)
        ),
        (
            {"REQUEST_LOCALS": "all"},
            "TURBO_ORM['REQUEST_LOCALS'] is 'all'.",
            "Write 'auto', False, or a list of dotted paths.",
        ),
        (
            {"REQUEST_LOCALS": ["nowhere.at_all"]},
            "TURBO_ORM['REQUEST_LOCALS'] names 'nowhere.at_all': there is no module 'nowhere'.",
            "Name a threading.local, a class of one, or the module that has them.",
        ),
        (
            {"REQUEST_LOCALS": ["turbo_orm.bridge.PARKED_MAX"]},
            (
                "TURBO_ORM['REQUEST_LOCALS'] names 'turbo_orm.bridge.PARKED_MAX': it is neither a "
                "module nor a threading.local."
            ),
            "Name a threading.local, a class of one, or the module that has them.",
        ),
        (
            {"REQUEST_LOCALS": ["turbo_orm.bridge._Parked.nothing"]},
            (
                "TURBO_ORM['REQUEST_LOCALS'] names 'turbo_orm.bridge._Parked.nothing': type object "
                "'_Parked' has no attribute 'nothing'."
            ),
            "Name a threading.local, a class of one, or the module that has them.",
        ),
    ],
)
def test_e001_values_that_cannot_be(written, message, hint):
    with override_settings(TURBO_ORM=written):
        assert found(checks.check_settings) == [("turbo_orm.E001", message, hint)]


@override_settings(TURBO_ORM={"THREAD_MIDDLEWARE": ["some.Middleware"]})
def test_w004_a_key_of_a_former_version_has_no_effect_and_its_warning_says_what_has():
    assert found(checks.check_settings) == []
    assert found(checks.check_removed_keys) == [
        (
            "turbo_orm.W004",
            "TURBO_ORM['THREAD_MIDDLEWARE'] has no effect any more.",
            (
                "Remove it. A request whose view is synchronous now runs in a thread as a whole, "
                "with all its middleware. Before a coroutine view middleware runs on the event "
                "loop: there call what blocks by turbo_orm.await_thread(function, ...)."
            ),
        )
    ]
    assert get_settings() == TurboSettings()


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        ([1], "TURBO_ORM['POOL'] is [1], not a dictionary."),
        ({"gone": {}}, "TURBO_ORM['POOL'] names 'gone', which is no database."),
        ({"default": 5}, "TURBO_ORM['POOL']['default'] is 5."),
    ],
)
def test_e002_a_pool_that_is_none(pool, message):
    with override_settings(TURBO_ORM={"POOL": pool}):
        assert found(checks.check_settings) == [
            (
                "turbo_orm.E002",
                message,
                "Write {alias: {'min_size': 2, 'max_size': 10}} with aliases of DATABASES.",
            )
        ]


@override_settings(TURBO_ORM={"POOL": {"default": {"min_size": 5, "max_size": 4}}})
def test_e003_a_pool_with_more_connections_at_least_than_at_most():
    assert found(checks.check_pool_sizes) == [
        (
            "turbo_orm.E003",
            "The pool of 'default' has min_size 5 above max_size 4.",
            "Raise max_size or lower min_size.",
        )
    ]


@override_settings(TURBO_ORM={})
def test_e003_in_the_options_of_the_database(default):
    default["OPTIONS"]["pool"] = {"min_size": 3, "max_size": 2}

    assert [m.id for m in checks.check_pool_sizes()] == ["turbo_orm.E003"]


@override_settings(TURBO_ORM={"POOL": {"default": {"min_size": 12}}})
def test_a_size_that_is_not_written_gives_way_to_the_other():
    assert found(checks.check_pool_sizes) == []


def test_e004_a_pool_option_that_old_django_hands_to_psycopg(default, monkeypatch):
    default["OPTIONS"]["pool"] = {"min_size": 1}

    monkeypatch.setattr(django, "VERSION", (5, 1, 0, "final", 0))
    assert found(checks.check_pool_option_known) == []
    monkeypatch.setattr(django, "VERSION", (4, 2, 0, "final", 0))
    ((code, message, hint),) = found(checks.check_pool_option_known)
    assert code == "turbo_orm.E004"
    assert message.startswith("DATABASES['default']['OPTIONS']['pool'] makes every synchronous")
    assert hint == "Move the dictionary to TURBO_ORM = {'POOL': {alias: {...}}}."


KNOWN = (
    "Known keys are check, close_returns, configure, max_idle, max_lifetime, max_size, "
    "max_waiting, min_size, num_workers, reconnect_failed, reconnect_timeout, reset, timeout."
)


@override_settings(TURBO_ORM={"POOL": {"default": {"min_sise": 2, "depth": 1, "timeout": 3}}})
def test_e005_an_unknown_option_of_a_pool(default):
    default["OPTIONS"]["pool"] = {"max_siez": 3}

    assert found(checks.check_pool_keys) == [
        (
            "turbo_orm.E005",
            "TURBO_ORM['POOL']['default'] has an unknown key: 'min_sise'.",
            f"Did you mean 'min_size'? {KNOWN}",
        ),
        ("turbo_orm.E005", "TURBO_ORM['POOL']['default'] has an unknown key: 'depth'.", KNOWN),
        (
            "turbo_orm.E005",
            "DATABASES['default']['OPTIONS']['pool'] has an unknown key: 'max_siez'.",
            f"Did you mean 'max_size'? {KNOWN}",
        ),
    ]


def test_every_option_of_psycopg_pool_is_known(default):
    options = dict.fromkeys(inspect.signature(ConnectionPool).parameters)

    with override_settings(TURBO_ORM={"POOL": {"default": options}}):
        assert found(checks.check_pool_keys) == []


@pytest.mark.parametrize("pool", [True, None, 5])
@override_settings(TURBO_ORM={})
def test_a_pool_that_is_no_dictionary_has_no_keys(default, pool):
    default["OPTIONS"]["pool"] = pool

    assert found(checks.check_pool_keys) == []


@pytest.fixture
def no_async_backend(monkeypatch):
    """Python without django-async-backend."""
    for name in [name for name in sys.modules if name.startswith("django_async_backend")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "django_async_backend", None)
    is_postgresql_engine.cache_clear()
    yield
    is_postgresql_engine.cache_clear()


def test_e010_the_engine_of_django_async_backend_without_it(default, no_async_backend):
    default["ENGINE"] = ASYNC_ENGINE

    assert found(checks.check_async_backend) == [
        (
            "turbo_orm.E010",
            (
                f"DATABASES['default']['ENGINE'] is '{ASYNC_ENGINE}', but django-async-backend is "
                "not installed."
            ),
            (
                "Install it with `pip install 'turbo-orm-core[async-backend]'`, which needs Python "
                "3.12 and Django 5 or newer, or set ENGINE to 'django.db.backends.postgresql'."
            ),
        )
    ]
    others = [check for check in checks.ALL if check is not checks.check_async_backend]
    assert [m for check in others for m in check()] == []


async def test_at_use_its_absence_is_an_error_that_names_the_extra(default, no_async_backend):
    default["ENGINE"] = ASYNC_ENGINE

    with pytest.raises(ImproperlyConfigured) as caught:
        await Author.objects.acount()
    default["ENGINE"] = "django.db.backends.postgresql"

    assert str(caught.value) == (
        f"ENGINE is '{ASYNC_ENGINE}', but django-async-backend is not installed. Install it with "
        "`pip install 'turbo-orm-core[async-backend]'`, which needs Python 3.12 and Django 5 or "
        "newer, or set ENGINE to 'django.db.backends.postgresql'."
    )


async def test_another_engine_that_is_missing_is_djangos_error(default):
    default["ENGINE"] = "no_such_package.postgresql"

    with pytest.raises(ImproperlyConfigured, match="isn't an available database backend"):
        await Author.objects.acount()
    default["ENGINE"] = "django.db.backends.postgresql"


def test_w001_no_database_that_can_be_awaited(monkeypatch):
    lite = {"lite": {"ENGINE": "django.db.backends.sqlite3"}}

    assert found(checks.check_engines) == []
    monkeypatch.setattr(checks, "connections", types.SimpleNamespace(settings=lite))
    monkeypatch.setattr(checks, "is_postgresql", lambda alias: alias != "lite")
    ((code, message, hint),) = found(checks.check_engines)
    assert code == "turbo_orm.W001"
    assert message.startswith("No database of DATABASES can be awaited")
    assert "psycopg[binary,pool]" in hint


def test_w002_persistent_connections(default):
    assert found(checks.check_persistent_connections) == []
    default["CONN_MAX_AGE"] = 60
    ((code, message, hint),) = found(checks.check_persistent_connections)

    assert code == "turbo_orm.W002"
    assert message.startswith("CONN_MAX_AGE of 'default' has no effect on pooled connections")
    assert hint.startswith("Set it to 0")


def test_w003_autocommit_switched_off(default):
    assert found(checks.check_autocommit) == []
    default["AUTOCOMMIT"] = False
    ((code, message, hint),) = found(checks.check_autocommit)

    assert code == "turbo_orm.W003"
    assert message.startswith("AUTOCOMMIT of 'default' is off")
    assert hint == "Leave AUTOCOMMIT on and use `async with atomic():`."


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 13)])
def test_no_interpreter_is_told_what_nobody_can_change(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", (*version, 9, "final", 0))

    assert [m for m in run_checks() if m.id.startswith("turbo_orm")] == []


@pytest.mark.parametrize(
    "value",
    [
        ["POOL"],
        {"POOL": {"default": {"min_size": "2", "max_size": 4}}},
        {"CLEANUP_TIMEOUT": "soon"},
    ],
    ids=["a list", "a size in words", "a timeout in words"],
)
def test_malformed_settings_are_errors_and_no_traceback(value):
    with override_settings(TURBO_ORM=value):
        messages = [message for check in checks.ALL for message in check()]

    assert [m.id for m in messages if m.id.startswith("turbo_orm.E")] != []


@pytest.mark.parametrize(
    "written",
    [
        "auto",
        False,
        [],
        ["turbo_orm.bridge", "turbo_orm.bridge._Parked", "turbo_orm.bridge._parked"],
    ],
)
def test_request_locals_that_can_be(written):
    with override_settings(TURBO_ORM={"REQUEST_LOCALS": written}):
        assert found(checks.check_settings) == []


def test_w010_and_d010_what_became_of_thread_locals(monkeypatch):
    report = Report(["b.local", "a.Local"], [], [Missed("c.LOCALS[0]", "it is held by: tuple")])
    monkeypatch.setattr(checks.request_locals, "report", lambda: report)

    assert found(checks.check_request_locals) == [
        (
            "turbo_orm.W010",
            (
                "c.LOCALS[0] is a threading.local that all requests on an event loop share: it is "
                "held by: tuple."
            ),
            (
                "Refer to it by a name in a module, as an attribute or in a list or dictionary; "
                "or use asgiref.local.Local in its place."
            ),
        )
    ]
    assert found(checks.check_replaced_locals) == [
        (
            "turbo_orm.D010",
            "The values of these threading.local objects belong to a request: a.Local, b.local.",
            "TURBO_ORM['REQUEST_LOCALS'] may name others, or be False.",
        )
    ]
    assert checks.check_replaced_locals()[0].level == DEBUG


def test_nothing_is_said_where_there_is_no_thread_local(monkeypatch):
    monkeypatch.setattr(checks.request_locals, "report", Report)

    assert found(checks.check_request_locals) == []
    assert found(checks.check_replaced_locals) == []
