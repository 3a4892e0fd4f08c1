"""Set Django up for the engine, and make its test database."""

import asyncio
import os

import django
import pytest

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.works_with_engines.settings"
django.setup()


@pytest.fixture(scope="session", autouse=True)
def database():
    """The test database, with the tables of the project."""
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connection, connections

    name = connection.settings_dict["NAME"]
    test_name = connection.creation._create_test_db(verbosity=0, autoclobber=True, keepdb=False)
    connection.close()
    connections.settings["default"]["NAME"] = connection.settings_dict["NAME"] = test_name
    if apps.is_installed("django_tenants"):
        from .tenants.making import make_tables

        make_tables()
    else:
        call_command("migrate", run_syncdb=True, verbosity=0)
    yield
    connections.close_all()
    connection.creation.destroy_test_db(name, verbosity=0)


@pytest.fixture
def on_loop():
    """A function that runs a coroutine on an event loop, and closes the pools after it."""
    from turbo_orm import close_pools

    async def run(coroutine):
        try:
            return await coroutine
        finally:
            await close_pools()

    return lambda coroutine: asyncio.run(run(coroutine))
