"""The public face: what may be imported, and that each name explains itself."""

import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys

import pytest
from django.apps import apps

import turbo_orm

HOMES = [
    *("turbo_orm", "turbo_orm.asgi", "turbo_orm.lifecycle", "turbo_orm.models", "turbo_orm.query"),
    "turbo_orm.test",
]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(turbo_orm.__path__, "turbo_orm.")
    if not module.name.rpartition(".")[2].startswith("_")
]
CLASSES = [
    getattr(turbo_orm, name)
    for name in turbo_orm.__all__
    if inspect.isclass(getattr(turbo_orm, name))
]


@pytest.mark.parametrize("home", HOMES)
def test_all_names_can_be_imported_and_are_sorted(home):
    module = importlib.import_module(home)

    assert sorted(module.__all__) == module.__all__
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_a_star_import_gives_exactly_the_public_names():
    given = {}
    exec("from turbo_orm import *", given)

    assert set(given) - {"__builtins__"} == set(turbo_orm.__all__)


def test_dir_shows_the_public_names():
    assert dir(turbo_orm) == sorted(turbo_orm.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'turbo_orm' has no attribute 'nonsense'"):
        _ = turbo_orm.nonsense


@pytest.mark.parametrize("name", [n for n in turbo_orm.__all__ if n != "__version__"])
def test_every_public_name_has_a_docstring_of_its_own(name):
    value = getattr(turbo_orm, name)

    assert value.__doc__
    assert value.__module__.partition(".")[0] == "turbo_orm"


@pytest.mark.parametrize("cls", CLASSES)
def test_a_public_class_names_a_public_module(cls):
    assert cls.__module__ in {"turbo_orm", "turbo_orm.exceptions", "turbo_orm.models"}
    assert getattr(importlib.import_module(cls.__module__), cls.__name__) is cls
    assert pickle.loads(pickle.dumps(cls)) is cls


# Migrations and pickles made by older versions name these.
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("plan.exceptions", "PlanMismatch"),
        ("plan.stats", "PlanStats"),
        ("pool.limit", "ConnectionLimit"),
        ("pool.stats", "PoolStats"),
        ("query.manager", "AsyncManager"),
        ("query.model", "AsyncModel"),
        ("query.model", "AsyncModelMixin"),
        ("query.queryset", "AsyncQuerySet"),
        ("query.raw", "AsyncRawQuerySet"),
    ],
)
def test_a_class_is_found_where_it_was_before(path, name):
    pickled = f"cturbo_orm.{path}\n{name}\n.".encode()

    assert pickle.loads(pickled) is getattr(turbo_orm, name)


def test_the_application_has_a_module_of_models_and_no_model():
    config = apps.get_app_config("turbo_orm")

    assert config.models_module is importlib.import_module("turbo_orm.models")
    assert list(config.get_models(include_auto_created=True, include_swapped=True)) == []


@pytest.mark.parametrize("name", ["turbo_orm", *MODULES])
def test_every_module_has_a_docstring(name):
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("cls", CLASSES)
def test_every_public_method_has_a_docstring(cls):
    methods = {
        name: value
        for name, value in vars(cls).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    own = {n for n, v in methods.items() if str(v.__module__).startswith("turbo_orm")}

    # Django documents most of its awaitable twins on the synchronous method alone.
    undocumented = {n for n in own if not methods[n].__doc__ and n not in _twins(cls)}
    assert undocumented == set()


def _twins(cls):
    return {name for name in dir(cls) if name[0] == "a" and hasattr(cls, name[1:])} | {
        *("asave", "adelete", "arefresh_from_db")
    }


def test_the_version_is_a_version():
    assert all(part.isdigit() for part in turbo_orm.__version__.split(".")[:2])


def run(code):
    """Run code in a new interpreter; return what it printed, or its error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr


def test_importing_the_package_loads_neither_django_nor_psycopg():
    code = (
        "import sys, turbo_orm; "
        "print([name for name in ('django', 'psycopg', 'greenlet') if name in sys.modules])"
    )

    assert run(code) == "[]"


def test_the_pytest_plugin_is_loaded_before_django():
    code = "import sys, turbo_orm.test.plugin; print('django' in sys.modules)"

    assert run(code) == "False"


def test_the_bridge_works_without_django():
    code = (
        "import asyncio, sys; from turbo_orm.bridge import await_, run_sync; "
        "print(asyncio.run(run_sync(lambda: await_(asyncio.sleep(0, 'slept')))), "
        "'django' in sys.modules)"
    )

    assert run(code) == "slept False"


def test_a_default_engine_without_its_package_is_named_with_the_extra_before_any_model():
    code = (
        "import sys; sys.modules['django_async_backend'] = None; "
        "from django.conf import settings; "
        "settings.configure(INSTALLED_APPS=['django.contrib.contenttypes', 'turbo_orm'], DATABASES="
        "{'default': {'ENGINE': 'django_async_backend.db.backends.postgresql'}}); "
        "import django; django.setup()"
    )

    assert run(code).splitlines()[-1] == (
        "turbo_orm.connection.engine.MissingAsyncBackend: ENGINE is 'django_async_backend.db."
        "backends.postgresql', but django-async-backend is not installed. Install it with `pip "
        "install 'turbo-orm-core[async-backend]'`, which needs Python 3.12 and Django 5 or newer, "
        "or set ENGINE to 'django.db.backends.postgresql'."
    )


@pytest.mark.parametrize("apps", [["turbo_orm"], ["django.contrib.contenttypes", "turbo_orm"]])
def test_the_application_starts_beside_any_others(apps):
    code = (
        "import django; from django.conf import settings; "
        f"settings.configure(INSTALLED_APPS={apps!r}); django.setup(); print('ready')"
    )

    assert run(code) == "ready"
