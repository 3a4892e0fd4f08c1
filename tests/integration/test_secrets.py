"""No error, log, repr or error page shows the password of a database."""

import asyncio
import logging
import pprint
import socket

import pytest
from django.core.checks import run_checks
from django.db import connections
from django.test import override_settings
from django.views.debug import ExceptionReporter

from tests.settings import SERVER
from turbo_orm import open_pools, pool_stats, run_sync
from turbo_orm.connection.recipe import connection_parameters, recipe_of
from turbo_orm.pool import get_pool

# Not in the source lines that error pages show.
PASSWORD = "1174emasesnepo"[::-1]


def one(alias):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0]


def connect_to_maintenance_database(alias):
    """Connect as the creation of a test database does."""
    with connections[alias]._nodb_cursor() as cursor:
        cursor.execute("SELECT 1")


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield str(taken.getsockname()[1])


async def exhaust(alias):
    pool = get_pool(alias)
    lent = await pool.lend()
    try:
        await run_sync(one, alias)
    finally:
        pool.take_back(lent)


def refuse(connection):
    raise ValueError("this connection is not liked")


FAILURES = {
    "no such database": ({"NAME": "no_such_database"}, {}, None),
    "a server that is away": ({"HOST": "127.0.0.1"}, {}, None),
    "no name of a database": ({"NAME": "", "OPTIONS": {}}, {}, None),
    "an isolation level that is none": ({"OPTIONS": {"isolation_level": 99}}, {}, None),
    "an option that libpq does not know": ({"OPTIONS": {"colour": "red"}}, {}, None),
    "an SSL mode that is none": ({"OPTIONS": {"sslmode": "perhaps"}}, {}, None),
    "sizes that cannot be": ({}, {"min_size": 3, "max_size": 2}, None),
    "an option of no pool": ({}, {"min_sise": 2}, None),
    "a pool that is exhausted": ({}, {"max_size": 1, "timeout": 0.05}, exhaust),
    "a failing callback": ({}, {"configure": refuse}, None),
    "no maintenance database": (
        {"HOST": "127.0.0.1"},
        {},
        lambda alias: run_sync(connect_to_maintenance_database, alias),
    ),
}


@pytest.fixture(params=FAILURES)
def failing(request, make_alias, closed_port):
    """Give an alias of which a use fails, and that use."""
    changes, pool, use = FAILURES[request.param]
    if "HOST" in changes:
        changes = {**changes, "PORT": closed_port}
    alias = make_alias(**{"PASSWORD": PASSWORD, **changes}, pool=pool)
    return alias, use or (lambda alias: run_sync(one, alias))


def pages(error):
    """Return what Django shows of an error, to developers and in mails."""
    reporter = ExceptionReporter(None, type(error), error, error.__traceback__)
    return [reporter.get_traceback_html(), reporter.get_traceback_text()]


def chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@override_settings(DEBUG=True)
async def test_a_failure_does_not_show_it(failing, caplog):
    alias, use = failing
    caplog.set_level(logging.DEBUG)

    for attempt in (use, open_pools):
        try:
            await attempt(alias)
        except Exception as caught:
            error = caught
            shown = [*pages(caught), *map(repr, chain(caught)), *map(str, chain(caught))]
        else:
            # The others of the pool are lent, or were asked for by nobody.
            assert attempt is open_pools
            continue
        assert alias in shown[0]
        assert [text for text in shown if PASSWORD in text] == []
    assert error is not None
    assert PASSWORD not in caplog.text


def test_the_judge_djangos_page_shows_the_variables_of_frames():
    def fails():
        secret = PASSWORD
        raise ValueError(len(secret))

    with pytest.raises(ValueError, match="14") as caught:
        fails()

    assert PASSWORD in pages(caught.value)[0]


@pytest.mark.may_block("checks look for files")
async def test_nothing_that_can_be_looked_at_shows_it(make_alias):
    alias = make_alias(PASSWORD=PASSWORD, pool={"max_size": 1})

    def inside():
        wrapper = connections[alias]
        wrapper.ensure_connection()
        facade = wrapper.connection
        return [wrapper, facade, facade.source, facade.cursor(), wrapper.cursor()]

    objects = [
        *await run_sync(inside),
        *(recipe_of(alias), connection_parameters(alias)),
        *(get_pool(alias), get_pool(alias)._pool, pool_stats(alias)),
        *(connections[alias], await run_sync(run_checks), asyncio.all_tasks()),
    ]

    assert connection_parameters(alias)["password"] == PASSWORD
    for shown in map(pprint.pformat, objects):
        assert PASSWORD not in shown


async def test_the_parameters_are_shown_by_name(make_alias):
    alias = make_alias(PASSWORD=PASSWORD)

    shown = repr(connection_parameters(alias))

    assert shown.startswith("<Parameters: ")
    assert {"dbname", "password", "user"} <= set(shown[13:-1].split(", ")) or not SERVER.get("user")
