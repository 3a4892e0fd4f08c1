"""Every private name of Django's and asgiref's stands in one table, and is checked at start-up."""

import ast
import importlib
import inspect
import logging
import pkgutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql.base import DatabaseWrapper

from turbo_orm import conf
from turbo_orm.connection.wrapper import BridgedWrapper
from turbo_orm.foreign import PrivateName
from turbo_orm.patches import names, redirect
from turbo_orm.patches.redirects import TABLE as REDIRECTS
from turbo_orm.plan.cache import cache
from turbo_orm.pool import driver

ROOT = Path(__file__).parents[2] / "packages"
SOURCES = [path for path in ROOT.rglob("src/*/**/*.py") if "egg-info" not in str(path)]
OURS = {path.parts[path.parts.index("src") + 1] for path in SOURCES}

# Names with an underscore that are documented: a release that renames them says so.
DOCUMENTED = {
    *("_base_manager", "_default_manager", "_meta", "_state"),  # Django's models
    *("_getframe", "_replace", "_make"),  # Python's
}
# Those of other packages, each with its owner.
OTHERS = {
    "_asyncioTestContext": "unittest.IsolatedAsyncioTestCase",
    "_callSetUp": "unittest.IsolatedAsyncioTestCase",
    "_callTestMethod": "unittest.IsolatedAsyncioTestCase",
    "_testMethodName": "unittest.TestCase",
    "_target": "threading.Thread",
    "_thread_name_prefix": "concurrent.futures.ThreadPoolExecutor",
    "_is_coroutine": "asyncio.coroutines",
    "_is_coroutine_mark": "inspect",
    "_context": "ninja.schema.DjangoGetter",
    "_args": "rest_framework.fields.Field",
    "_declared_fields": "rest_framework.serializers.Serializer",
    "_get_model_fields": "rest_framework.serializers.ModelSerializer",
    "_kwargs": "rest_framework.fields.Field",
    "_paginator": "rest_framework.generics.GenericAPIView",
    "_get_page_size": "ninja.pagination.PageNumberPagination",
    "_ninja_is_paginated": "ninja.pagination",
    "_obj": "ninja.schema.DjangoGetter",
    "_run_root_validator": "ninja.schema.Schema",
    "_schema_cls": "ninja.schema.DjangoGetter",
    "_generate_selection_resolve_info": "strawberry_django.optimizer",
    "_get_field_data": "strawberry_django.optimizer",
    "_has_perm": "strawberry_django.permissions.HasPerm",
    "_resolve_obj": "strawberry_django.permissions.HasPerm",
    "_schema": "strawberry.schema.Schema",
    "_strawberry_related_field_id": "strawberry_django.fields.field",
}
# Our own, of which another room knows.
OWN = {
    *("_build_query", "_original", "_record", "_shielded", "_twin", "_wait_shielded"),
}
FOREIGN_PACKAGES = ("asgiref", "django", "psycopg", "psycopg_pool")


def is_private(name):
    return name.startswith("_") and not name.startswith(("__", "_turbo")) and name.isidentifier()


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


class Names(ast.NodeVisitor):
    """What one module defines and uses of private names."""

    def __init__(self):
        self.defined, self.used, self.strings, self.inherited = set(), set(), set(), set()
        self.classes = {}
        self.within = []

    def visit_If(self, node):
        for child in node.orelse if is_type_checking(node) else [node]:
            self.generic_visit(child)

    def visit_ClassDef(self, node):
        self.defined.add(node.name)
        self.within.append(self.classes.setdefault(node.name, set()))
        self.generic_visit(node)
        self.within.pop()

    def visit_FunctionDef(self, node):
        self.defined.add(node.name)
        if self.within:
            self.within[-1].add(node.name)
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_arg(self, node):
        self.defined.add(node.arg)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.defined.add(node.id)

    def visit_ImportFrom(self, node):
        if not node.level and node.module.partition(".")[0] not in OURS:
            self.used.update(alias.name for alias in node.names)

    def visit_Attribute(self, node):
        self.generic_visit(node)
        self.used.add(node.attr)
        value = ast.unparse(node.value)
        if value.startswith("super("):
            self.inherited.add(node.attr)
        if value in {"self", "cls"} and isinstance(node.ctx, ast.Store):
            self.defined.add(node.attr)
        if value in {"self", "cls"} and self.within:
            self.within[-1].add(node.attr)

    def visit_Assign(self, node):
        # Names of slots are our own.
        if ast.unparse(node.targets[0]) == "__slots__":
            found = filter(lambda each: isinstance(each, ast.Constant), ast.walk(node.value))
            self.defined.update(each.value for each in found)
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str) and not node.value.endswith("_"):
            self.strings.add(node.value)


def room_of(path):
    """Return the package, or the package in a package, that a module is in."""
    parts = path.parts[path.parts.index("src") + 1 : -1]
    return parts[:2]


def modules():
    for package in sorted(OURS):
        yield importlib.import_module(package)
        path = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(path, f"{package}."):
            yield importlib.import_module(found.name)


def of_foreign_bases(kind):
    """Return the private names that the classes have from which one of ours inherits."""
    bases = [*kind.__mro__, *(DatabaseWrapper.__mro__ if issubclass(kind, BridgedWrapper) else ())]
    found = set()
    for base in bases:
        if base.__module__.partition(".")[0] in FOREIGN_PACKAGES:
            found.update(vars(base))
            for value in vars(base).values():
                if inspect.isfunction(value):
                    found.update(inspect.unwrap(value).__code__.co_names)
    return found


@pytest.fixture(scope="module")
def used():
    """Return the private names of others that the sources use, and all that they mention."""
    seen = {}
    for path in SOURCES:
        names_of = seen[path] = Names()
        # The tables themselves use nothing.
        if path.name not in {"names.py", "driver.py"}:
            names_of.visit(ast.parse(path.read_text("utf-8")))
    defined, in_room = set(), defaultdict(set)
    for path, each in seen.items():
        defined |= each.defined
        in_room[room_of(path)] |= each.defined
    foreign = set()
    for path, each in seen.items():
        # What is private is used in its own room; in strings it may stand anywhere.
        foreign |= each.used - in_room[room_of(path)] | each.strings - defined | each.inherited
    for module in modules():
        mentioned = seen.get(Path(module.__file__))
        for name, mentions in mentioned.classes.items() if mentioned else ():
            kind = getattr(module, name, None)
            if inspect.isclass(kind):
                foreign |= mentions & of_foreign_bases(kind)
    everything = defined.union(*(each.used | each.strings for each in seen.values()))
    return set(filter(is_private, foreign)), everything


def test_every_private_name_that_is_used_stands_in_a_table(used):
    foreign, _ = used
    known = {row.name for row in (*names.TABLE, *driver.TABLE)}

    assert {"_result_cache", "_commit", "_connections", "_insert", "_thread_sensitive"} <= foreign
    unknown = foreign - known - DOCUMENTED - OTHERS.keys() - OWN
    assert " ".join(sorted(unknown)) == ""


def test_every_name_in_the_tables_is_used(used):
    _, everything = used
    users = {user.rpartition(".")[2] for row in REDIRECTS for user in row.users}
    known = {row.name for row in names.TABLE} | OTHERS.keys()

    assert sorted(known - everything - users) == []


def test_a_name_stands_in_the_table_once():
    paths = [row.path for row in names.TABLE]

    assert sorted(paths) == sorted(set(paths))


def test_the_django_that_is_installed_has_all_of_them():
    needs = {row.needs for row in names.TABLE}

    assert needs == {
        *(names.ESSENTIAL, names.PLANS, names.REDIRECTS, names.TESTS),
        *(names.DRF, names.STRAWBERRY),
    }
    assert names.missing(*needs) == []


def test_names_before_and_after_their_releases_are_not_missed():
    for row in names.TABLE:
        if not row.is_in(django.VERSION[:3]):
            assert row.fault() is not None, f"{row.path} exists; since when?"


@pytest.fixture
def without(monkeypatch):
    """Return what starts the application anew without a name; settings are as before afterwards."""

    def start(path, needs):
        owner, _, name = path.rpartition(".")
        row = PrivateName(owner, name, needs=needs)
        monkeypatch.setattr(names, "TABLE", (*names.TABLE, row))
        names.check.cache_clear()
        names.check()
        return names.fit_for_redirects()

    monkeypatch.setattr(conf, "_forced", {})
    yield start
    monkeypatch.undo()
    names.check.cache_clear()
    conf.get_settings.cache_clear()
    cache.configure()


def told(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "turbo_orm"]


def test_without_an_essential_name_the_application_does_not_start(without):
    with pytest.raises(ImproperlyConfigured) as caught:
        without("django.db.models.query.QuerySet._nonsense", names.ESSENTIAL)

    assert str(caught.value) == (
        "Turbo ORM uses django.db.models.query.QuerySet._nonsense, which is not documented, but in "
        f"Django {django.get_version()} QuerySet does not have it. Install a version of Turbo ORM "
        "that knows this release, or an older django: `pip install 'django~=6.1.0'`."
    )


def test_without_a_name_of_plans_they_are_off_and_a_warning_says_so(without, caplog):
    assert cache.enabled

    with caplog.at_level(logging.WARNING):
        assert without("django.utils.deconstruct._nonsense", names.PLANS) is True

    assert (cache.enabled, conf.get_settings().PLANS) == (False, "off")
    (message,) = told(caplog)
    assert message.startswith("Turbo ORM uses django.utils.deconstruct._nonsense, which is not")
    assert "deconstruct does not have it. Plans are off. Install a version" in message
    assert conf.get_settings().REDIRECT_DJANGO is True


def test_without_a_name_of_redirects_they_are_off_and_a_warning_says_so(without, caplog):
    with caplog.at_level(logging.WARNING):
        assert without("asgiref.sync.SyncToAsync._nonsense", names.REDIRECTS) is False

    assert conf.get_settings().REDIRECT_DJANGO is False
    (message,) = told(caplog)
    assert message.startswith("Turbo ORM uses asgiref.sync.SyncToAsync._nonsense")
    assert "Django's own names are left alone, as with TURBO_ORM = {'REDIRECT_DJANGO': F" in message
    assert cache.enabled


def test_without_a_name_of_redirects_the_application_starts_and_redirects_nothing(
    without, monkeypatch
):
    row = PrivateName("asgiref.sync.SyncToAsync", "_nonsense", needs=names.REDIRECTS)
    monkeypatch.setattr(names, "TABLE", (row,))
    redirect.revert()
    try:
        apps.get_app_config("turbo_orm").ready()

        assert redirect._originals == {}
    finally:
        monkeypatch.undo()
        redirect.apply()


def test_a_name_that_nobody_uses_any_more_is_missed():
    row = PrivateName("django.db.models.query.QuerySet", "_nonsense", ("__init__",))

    assert row.fault() == "QuerySet.__init__() does not refer to it"


def test_an_owner_that_is_gone_is_missed():
    assert PrivateName("django.nonsense.Nothing", "_x").fault() == "django.nonsense.Nothing is gone"


IMPORTING = """
import importlib, inspect, pkgutil, sys
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="-",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}},
)
django.setup()
# What they import themselves is not ours: import that first.
for name in %(others)r:
    importlib.import_module(name)


def held():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in {"asgiref", "django"} or module is None:
            continue
        for attribute, value in vars(module).items():
            found[name, attribute] = value
            # isinstance() would evaluate what is lazy.
            if issubclass(type(value), type) and value.__module__.partition(".")[0] in {"asgiref", "django"}:
                for inner, held in vars(value).items():
                    found[f"{value.__module__}.{value.__qualname__}", inner] = held
    from django.db import connections
    found.update({("connections", name): value for name, value in vars(connections).items()})
    return found


# Bookkeeping of Python's, and modules that were imported meanwhile.
IGNORED = {"__annotations__", "__annotations_cache__", "__dict__", "__weakref__", "__subclasshook__", "__abstractmethods__"}
before = held()
names = []
for package in %(packages)r:
    names.append(package)
    path = importlib.import_module(package).__path__
    for found in pkgutil.walk_packages(path, package + "."):
        names.append(found.name)
        importlib.import_module(found.name)
after = held()
changed = sorted(
    f"{owner}.{name}"
    for (owner, name), value in after.items()
    if name not in IGNORED
    and type(value) is not type(sys)
    and ((owner, name) in before or any(owner == known for known, _ in before))
    and before.get((owner, name), before) is not value
)
gone = sorted(f"{owner}.{name}" for owner, name in before.keys() - after.keys())
print(len(names), len(before), changed, gone)
"""


def test_importing_any_module_replaces_nothing_of_django_or_asgiref():
    adapters = sorted(OURS - {"turbo_orm"})
    others = ["django.test", "rest_framework.generics", "ninja", "strawberry_django", "pytest"]
    code = IMPORTING % {"packages": ["turbo_orm", *adapters], "others": others}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    modules, held, rest = done.stdout.split(maxsplit=2)
    assert int(modules) > 150
    assert int(held) > 10000
    assert rest.strip() == "[] []"
