"""Every private name of Django's and asgiref's stands in one table, and is checked at start-up."""

import logging
import subprocess
import sys

import django
import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet

from turbo_orm import conf
from turbo_orm.foreign import PrivateName
from turbo_orm.patches import names, redirect
from turbo_orm.patches.redirects import TABLE as REDIRECTS
from turbo_orm.plan.cache import cache
from turbo_orm.pool import driver

from ..private_names import OURS, names_used

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


@pytest.fixture(scope="module")
def used():
    """Return the private names of others that the sources use, and all that they mention."""
    return names_used()


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
