"""The one settings dictionary."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from turbo_orm.conf import TurboSettings, get_settings


@override_settings(TURBO_ORM={})
def test_every_key_has_a_default():
    assert dataclasses.asdict(get_settings()) == {
        "REDIRECT_DJANGO": True,
        "POOL": {},
        "CLEANUP_TIMEOUT": 5.0,
        "PLANS": "on",
        "PLAN_CACHE_SIZE": 1000,
        "SYNC_VIEWS": "thread",
        "SYNC_THREADS": 40,
        "DISCONNECT_PATIENCE": 0.1,
        "REQUEST_LOCALS": "auto",
        "REQUIRE_DATABASE": False,
        "RESET_SESSIONS": "auto",
    }


def test_the_documentation_lists_every_key_with_its_default():
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert {key: ast.literal_eval(value) for key, value in rows} == dataclasses.asdict(
        TurboSettings()
    )


@pytest.mark.parametrize("value", [None, {}])
def test_absent_settings_are_the_defaults(value):
    with override_settings(TURBO_ORM=value):
        assert get_settings() == TurboSettings()


@override_settings(TURBO_ORM={"REDIRECT_DJANGO": False, "CLEANUP_TIMEOUT": 1.5})
def test_what_is_written_is_in_force():
    assert get_settings() == TurboSettings(REDIRECT_DJANGO=False, CLEANUP_TIMEOUT=1.5)


@override_settings(TURBO_ORM={"POOLS": {}, "ALIAS": 1})
def test_unknown_keys_are_refused_by_name():
    with pytest.raises(ImproperlyConfigured) as refused:
        get_settings()

    assert str(refused.value) == (
        "settings.TURBO_ORM has unknown keys: ALIAS, POOLS. "
        "Known are: CLEANUP_TIMEOUT, DISCONNECT_PATIENCE, PLANS, PLAN_CACHE_SIZE, POOL, "
        "REDIRECT_DJANGO, REQUEST_LOCALS, REQUIRE_DATABASE, RESET_SESSIONS, SYNC_THREADS, "
        "SYNC_VIEWS."
    )


def test_settings_are_read_once_and_again_after_a_change():
    before = get_settings()
    assert get_settings() is before
    with override_settings(TURBO_ORM={"CLEANUP_TIMEOUT": 9.0}):
        assert get_settings().CLEANUP_TIMEOUT == 9.0

    assert get_settings() == before


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        get_settings().CLEANUP_TIMEOUT = 1.0
