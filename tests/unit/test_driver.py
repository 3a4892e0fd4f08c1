"""The names of psycopg that are used without a promise: all in one table, checked at start-up."""

import ast
import asyncio
import functools
import inspect
import re
from pathlib import Path

import psycopg
import psycopg_pool
import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

import turbo_orm
from turbo_orm.connection.facade import BridgedConnection
from turbo_orm.pool import driver
from turbo_orm.pool.connection import PooledConnection

SOURCE = Path(turbo_orm.__file__).parent
DRIVERS = (psycopg.Connection, psycopg.AsyncConnection, psycopg_pool.AsyncConnectionPool)
REMEDY = (
    "Install a version of Turbo ORM that knows this psycopg, or an older psycopg: "
    "`pip install 'psycopg[binary,pool]~=3.3.6' 'psycopg_pool~=3.3.3'`."
)


@pytest.fixture
def unchecked():
    """Let the table be checked anew, now and after the test."""
    driver.check_driver.cache_clear()
    yield
    driver.check_driver.cache_clear()


def private_names_of_the_driver():
    """Return the private attributes that psycopg's own connections and pools have."""
    # psycopg's classes say that they are defined in "psycopg": their methods know better.
    methods = [value for cls in DRIVERS for base in cls.__mro__ for value in vars(base).values()]
    files = {method.__code__.co_filename for method in methods if inspect.isfunction(method)}
    source = "".join(Path(file).read_text("utf-8") for file in files if "psycopg" in file)
    return set(re.findall(r"(?:self|conn)\.(_[a-z]\w*)", source))


def names_used(tree, known):
    """Yield the driver's private names that code reads or sets on anything but its own `self`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in known:
            if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}):
                yield node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
            yield from (a.value for a in node.args if isinstance(a, ast.Constant))


def test_all_private_names_that_are_used_stand_in_the_table():
    known = private_names_of_the_driver()
    used = set()
    for path in SOURCE.rglob("*.py"):
        used.update(set(names_used(ast.parse(path.read_text("utf-8")), known)) & known)
    for cls in (BridgedConnection, PooledConnection):
        source = inspect.getsource(cls)
        used.update(set(re.findall(r"(?:self\.|def )(_[a-z]\w*)", source)) & known)

    assert {"_prepared", "_try_cancel", "_workers", "_pool"} <= used
    # The wrappers' _close() is Django's.
    assert used - {row.name for row in driver.TABLE} - {"_close"} == set()


def test_tools_may_wrap_methods_of_psycopg_twice(unchecked, monkeypatch):
    def traced(function):
        return functools.wraps(function)(lambda *args, **kwargs: function(*args, **kwargs))

    execute = psycopg.Cursor.execute
    monkeypatch.setattr(psycopg.Cursor, "execute", traced(traced(execute)))

    driver.check_driver()


def test_the_driver_that_is_installed_has_all_of_them(unchecked):
    driver.check_driver()


@pytest.mark.parametrize(
    ("owner", "name", "user"),
    [
        (psycopg.AsyncConnection, "_try_cancel", "wait"),
        (psycopg.Cursor, "lock", "execute"),
        (psycopg_pool.AsyncConnectionPool, "_workers", "__init__"),
    ],
)
def test_without_one_the_application_does_not_start(owner, name, user, unchecked, monkeypatch):
    def renamed(self, *args, **kwargs):
        """Do what it did, by another name."""

    for base in owner.__mro__:
        if user in vars(base) and base is not object:
            monkeypatch.setattr(base, user, renamed)
    # Others are used there, too.
    monkeypatch.setattr(driver, "TABLE", [row for row in driver.TABLE if row.name == name])

    with pytest.raises(ImproperlyConfigured) as caught:
        apps.get_app_config("turbo_orm").ready()
    message = str(caught.value)
    assert message.startswith(f"Turbo ORM uses {owner.__module__.split('.')[0]}.{owner.__name__}.")
    assert f".{name}, which is not documented, but in psycopg {psycopg.__version__} with" in message
    assert message.endswith(f"{owner.__name__}.{user}() does not refer to it. {REMEDY}")


async def test_without_the_application_no_pool_opens_either(unchecked, monkeypatch):
    from turbo_orm.connection.recipe import recipe_of
    from turbo_orm.pool import Pool

    with monkeypatch.context() as patch:
        patch.setattr(driver, "TABLE", [driver.PrivateName("psycopg.Cursor", "_no", ("close",))])
        with pytest.raises(ImproperlyConfigured, match=r"Cursor\.close\(\) does not refer to it"):
            Pool(recipe_of("default"), asyncio.get_running_loop())
