"""Fixtures that create rows, in every style; the isolation is the plugin's."""

import os

import django
import factory
import pytest
import pytest_asyncio

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")


def pytest_configure(config):
    config.addinivalue_line("markers", "pytest_django: shows what pytest-django does")
    django.setup()


def pytest_collection_modifyitems(config, items):
    """Leave out what only pytest-django does, where it is not loaded."""
    if not config.pluginmanager.hasplugin("django"):
        kept = [item for item in items if not item.get_closest_marker("pytest_django")]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.fixture(scope="session")
def turbo_db_keepdb():
    return "ROLLBACK_KEEPDB" in os.environ


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def account_factory():
    from bank.models import Account

    class AccountFactory(factory.django.DjangoModelFactory):
        class Meta:
            model = Account

        owner = factory.Sequence(lambda number: f"made {number}")
        balance = 10

    return AccountFactory


@pytest.fixture
def ada(turbo_db, account_factory):
    """A row made synchronously by factory_boy."""
    return account_factory(owner="Ada", balance=100)


@pytest.fixture
def entry(turbo_db):
    """Two rows, made synchronously by model_bakery."""
    from model_bakery import baker

    return baker.make("bank.Entry", amount=3, account__owner="Baked")


@pytest_asyncio.fixture
async def grace(turbo_db):
    """A row made by a coroutine; gone again before the transaction is."""
    from bank.models import Account

    account = await Account.objects.acreate(owner="Grace", balance=50)
    yield account
    await account.adelete()


@pytest_asyncio.fixture(loop_scope="session")
async def hedy(turbo_db):
    """A row made on the loop of the session."""
    from bank.models import Account

    return await Account.objects.acreate(owner="Hedy")
