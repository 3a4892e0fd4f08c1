"""Every private name of Django's and asgiref's stands in one table, and is checked at start-up."""

import importlib
import logging
import platform
import subprocess
import sys
from importlib.metadata import version

import django
import pytest
import rest_framework
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet

import turbo_orm_ninja
import turbo_orm_strawberry
from turbo_orm import conf
from turbo_orm.foreign import PrivateName, release
from turbo_orm.patches import names, redirect
from turbo_orm.patches.redirects import TABLE as REDIRECTS
from turbo_orm.plan.cache import cache
from turbo_orm.pool import driver
from turbo_orm_drf import names as of_drf
from turbo_orm_drf.apps import RestFrameworkConfig
from turbo_orm_ninja import names as of_ninja
from turbo_orm_strawberry import names as of_strawberry
from turbo_orm_strawberry import redirect as of_strawberrys

from ..private_names import OURS, names_used

# Names with an underscore that are documented: a release that renames them says so.
DOCUMENTED = {
    *("_base_manager", "_default_manager", "_meta", "_state"),  # Django's models
    *("_getframe", "_replace", "_make"),  # Python's
}
ADAPTERS = {
    "turbo-orm-drf": of_drf,
    "turbo-orm-ninja": of_ninja,
    "turbo-orm-strawberry": of_strawberry,
}
TABLES = (
    *(*names.TABLE, *driver.TABLE),
    *(row for module in ADAPTERS.values() for row in module.TABLE),
)
STRAWBERRYS_REDIRECTS = {
    *(*of_strawberrys.TABLE, *of_strawberrys.FOR_GRAPHQL_3_2, *of_strawberrys.FOR_GRAPHQL_3_3),
}
# Functions that must refer to what is replaced.
USERS = {
    user.rpartition(".")[2] for row in (*REDIRECTS, *STRAWBERRYS_REDIRECTS) for user in row.users
}
START = {
    "turbo-orm-drf": lambda: RestFrameworkConfig("rest_framework", rest_framework).ready(),
    "turbo-orm-ninja": lambda: importlib.reload(turbo_orm_ninja),
    "turbo-orm-strawberry": lambda: importlib.reload(turbo_orm_strawberry),
}


# Our own, of which another room knows.
OWN = {
    *("_build_query", "_original", "_record", "_shielded", "_twin", "_wait_shielded"),
}


@pytest.fixture(scope="module")
def used():
    """Return the private names of others that the sources use, and all that they mention."""
    return names_used()


def test_every_private_name_that_is_used_stands_in_a_table(used):
    foreign, _ = used
    known = {row.name for row in (*TABLES, *STRAWBERRYS_REDIRECTS)} | USERS

    assert {"_result_cache", "_commit", "_connections", "_insert", "_thread_sensitive"} <= foreign
    unknown = foreign - known - DOCUMENTED - OWN
    assert " ".join(sorted(unknown)) == ""


def test_every_name_in_the_tables_is_used(used):
    _, everything = used
    known = {row.name for row in TABLES if row not in driver.TABLE}

    assert sorted(known - everything - USERS) == []


def test_a_name_stands_in_the_table_once():
    paths = [row.path for row in TABLES if row not in driver.TABLE]

    assert sorted(paths) == sorted(set(paths))


def test_the_django_that_is_installed_has_all_of_them():
    needs = {row.needs for row in names.TABLE}

    assert needs == {
        *(names.ESSENTIAL, names.PLANS, names.REDIRECTS, names.TESTS),
        *(names.DRF, names.STRAWBERRY),
    }
    assert names.missing(*needs) == []


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_framework_that_is_installed_has_all_of_its_names(adapter):
    uses = ADAPTERS[adapter].USES

    assert uses.user == adapter
    assert uses.missing(*{row.needs for row in uses.table}) == []


@pytest.mark.parametrize(
    ("adapter", "owner", "package"),
    [
        ("turbo-orm-drf", "rest_framework.generics.GenericAPIView", "djangorestframework"),
        ("turbo-orm-ninja", "ninja.schema.Schema", "django-ninja"),
        ("turbo-orm-strawberry", "strawberry.schema.Schema", "strawberry-graphql"),
        ("turbo-orm-strawberry", "strawberry_django.optimizer", "strawberry-graphql-django"),
    ],
)
def test_without_a_name_of_its_framework_an_adapter_does_not_start(
    adapter, owner, package, monkeypatch
):
    module = ADAPTERS[adapter]
    row = PrivateName(owner, "_nonsense", needs=module.ESSENTIAL)
    monkeypatch.setattr(module, "USES", module.USES._replace(table=(row,)))

    with pytest.raises(ImproperlyConfigured) as caught:
        START[adapter]()

    tested = module.USES.tested[package]
    assert str(caught.value) == (
        f"{adapter} uses {owner}._nonsense, which is not documented, but in {package} "
        f"{version(package)} {owner.rpartition('.')[2]} does not have it. Install a version of "
        f"{adapter} that knows this release, or an older {package}: `pip install '{tested}'`."
    )


def test_a_name_of_pythons_own_is_told_with_pythons_version():
    row = PrivateName("unittest.TestCase", "_nonsense", needs=names.TESTS)

    assert (
        names.uses()
        .told(row, "it is gone")
        .endswith(f"but in Python {platform.python_version()} it is gone.")
    )
    assert names.uses().remedy(row) == (
        "Install a version of Turbo ORM that knows this release, or an older Python."
    )


def test_names_before_and_after_their_releases_are_not_missed():
    for row in TABLES:
        if not row.is_in(release(row.owner)):
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
    monkeypatch.setattr(names, "gone", set())
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
        f"django {django.get_version()} QuerySet does not have it. Install a version of Turbo ORM "
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


def test_without_a_name_that_plans_replace_all_others_are_redirected(without, monkeypatch, caplog):
    redirect.revert()
    names.check.cache_clear()
    try:
        with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
            patch.delattr(QuerySet, "_insert")
            names.check()
            apps.get_app_config("turbo_orm").ready()
            redirected = set(redirect._originals)

        assert ("django.db.models.base.Model", "_do_update") in redirected
        assert ("django.db.models.query.QuerySet", "_insert") not in redirected
        assert not cache.enabled
        assert "QuerySet does not have it. Plans are off." in told(caplog)[0]
    finally:
        names.gone.clear()
        redirect.revert()
        redirect.apply()


def test_a_name_that_nobody_uses_any_more_is_missed():
    row = PrivateName("django.db.models.query.QuerySet", "_nonsense", ("__init__",))

    assert row.fault() == "QuerySet.__init__() does not refer to it"


def test_an_owner_that_is_gone_is_missed():
    assert PrivateName("django.nonsense.Nothing", "_x").fault() == "django.nonsense.Nothing is gone"


def test_importing_any_module_replaces_nothing_of_django_or_asgiref():
    done = subprocess.run(
        [sys.executable, "-m", "tests.imported", *sorted(OURS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    modules, held, rest = done.stdout.split(maxsplit=2)
    assert int(modules) > 150
    assert int(held) > 10000
    assert rest.strip() == "[] []"
