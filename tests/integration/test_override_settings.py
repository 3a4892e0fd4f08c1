"""Settings that a coroutine test overrides, where Django would ask the database at once."""

import asyncio
from contextlib import asynccontextmanager, contextmanager

import pytest
from django.conf import settings
from django.db import connection
from django.test import modify_settings, override_settings

from tests.testapp.models import Author
from turbo_orm import atomic, portal, run_sync

PARIS = {"USE_TZ": False, "TIME_ZONE": "Europe/Paris"}


def zone():
    """Return the time zone of the session."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW TIME ZONE")
        return cursor.fetchone()[0]


@contextmanager
def enabled(**values):
    """Override settings as pytest-django's fixture does."""
    override = override_settings(**values)
    override.enable()
    try:
        yield
    finally:
        override.disable()


def plain_django():
    """Return the zones before, in and after a block with other settings, in Django itself."""
    try:
        before = zone()
        with override_settings(**PARIS):
            inside = zone()
        return [before, inside, zone()]
    finally:
        connection.close()


async def zones(override):
    """Return the same, awaited."""
    found = [await run_sync(zone)]
    with override(**PARIS):
        # The first statement after it may be any.
        assert await Author.objects.acount() == 0
        found.append(await run_sync(zone))
    return [*found, await run_sync(zone)]


@asynccontextmanager
async def in_block():
    async with atomic():
        yield


@asynccontextmanager
async def in_inner_block():
    async with atomic(), atomic():
        await Author.objects.acount()
        yield


@asynccontextmanager
async def in_no_block():
    yield


PLACES = [in_no_block, in_block, in_inner_block]
WHERE = pytest.mark.parametrize("where", [lambda it: it, portal], ids=["outside", "bridge"])


@pytest.fixture(params=["in the transaction of the test", "in the pool"])
def anywhere(request):
    """Use the database in both ways."""
    if request.param != "in the pool":
        request.getfixturevalue("turbo_db")


@pytest.fixture
async def expected():
    """What Django itself does, in a thread."""
    return await asyncio.to_thread(plain_django)


@WHERE
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("override", [override_settings, enabled])
@pytest.mark.needs_thread("Django itself is asked there")
async def test_the_session_has_the_time_zone_of_overridden_settings(
    expected, anywhere, override, place, where
):
    async def found():
        async with place():
            return await zones(override)

    assert await where(found()) == expected == ["UTC", "Europe/Paris", "UTC"]


async def test_a_coroutine_can_be_decorated(anywhere):
    @override_settings(**PARIS)
    async def decorated():
        return settings.TIME_ZONE, await run_sync(zone)

    async with atomic():
        assert await decorated() == ("Europe/Paris", "Europe/Paris")
        assert await run_sync(zone) == "UTC"


async def test_a_list_can_be_changed_where_it_is_used(anywhere):
    async with atomic():
        await Author.objects.acount()
        with modify_settings(INSTALLED_APPS={"append": "django.contrib.humanize"}):
            assert await Author.objects.acount() == 0
        assert await Author.objects.acount() == 0


async def test_databases_are_overridden_with_djangos_warning(anywhere):
    async with atomic():
        await Author.objects.acount()
        with pytest.warns(UserWarning, match="Overriding setting DATABASES"):
            override = override_settings(DATABASES=settings.DATABASES)
            override.enable()
        assert await Author.objects.acount() == 0
        override.disable()
        assert await Author.objects.acount() == 0
