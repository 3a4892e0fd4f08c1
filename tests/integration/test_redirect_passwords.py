"""Passwords are hashed in a thread, while the loop serves others; all else stays in the bridge."""

import asyncio
import threading
from unittest.mock import patch

import asgiref.sync
import django
import pytest
from django.contrib.auth import authenticate, hashers
from django.contrib.auth.hashers import MD5PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.signals import post_save
from django.test import RequestFactory, override_settings
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

from tests.testapp.models import Author
from tests.waiting import until
from turbo_orm import pool_stats, run_sync
from turbo_orm.patches.hashing import in_portal

pytestmark = [pytest.mark.rolled_back, pytest.mark.needs_thread("a password is hashed")]
since_50 = pytest.mark.skipif(django.VERSION < (5, 0), reason="acheck_password: Django 5.0")
since_52 = pytest.mark.skipif(django.VERSION < (5, 2), reason="acreate_user: Django 5.2")

MODULE = "tests.integration.test_redirect_passwords"
OLD = "django.contrib.auth.hashers.MD5PasswordHasher"


class Watched(MD5PasswordHasher):
    """Hashes only once it is let through, and notes what it did on which thread."""

    algorithm = "watched"
    open = threading.Event()
    begun = threading.Event()
    done: list = []

    def encode(self, password, salt):
        self._work("encode")
        return super().encode(password, salt)

    def verify(self, password, encoded):
        self._work("verify")
        return super().verify(password, encoded)

    def harden_runtime(self, password, encoded):
        self._work("harden_runtime")

    def _work(self, what):
        self.begun.set()
        assert self.open.wait(20), "nobody else was served meanwhile"
        self.done.append((what, threading.current_thread() is threading.main_thread()))


@pytest.fixture(autouse=True)
def hashing():
    """The new hasher first, the old one too; every thread has ended after the test."""
    Watched.open.set()
    with override_settings(PASSWORD_HASHERS=[f"{MODULE}.Watched", OLD]):
        yield
    Watched.open.set()
    Watched.done.clear()
    for thread in threading.enumerate():
        if thread.name.startswith("turbo_orm"):
            thread.join(timeout=10)
    assert [t.name for t in threading.enumerate() if t.name.startswith("turbo_orm")] == []


@pytest.fixture
def hops(monkeypatch):
    """What goes through asgiref's thread pool."""
    seen = []

    async def note(self, *args, **kwargs):
        seen.append(self.func)

    monkeypatch.setattr(asgiref.sync.SyncToAsync, "__call__", note)
    yield seen
    assert seen == []


@pytest.fixture
async def ann(hops):
    user = await User.objects.acreate(username="ann", password=make_password("right"))
    Watched.done.clear()
    return user


@pytest.fixture
async def old_ann(ann):
    await User.objects.aupdate(password=make_password("right", hasher="md5"))


async def in_bridge(**credentials):
    return await run_sync(authenticate, **credentials)


async def awaited(**credentials):
    from django.contrib.auth import aauthenticate

    return await aauthenticate(**credentials)


BOTH = [in_bridge, pytest.param(awaited, marks=since_50)]


@pytest.mark.parametrize("login", BOTH)
async def test_a_login_hashes_in_a_thread(ann, login):
    assert await login(username="ann", password="right") == ann
    assert await login(username="ann", password="wrong") is None

    assert Watched.done == [("verify", False), ("encode", False)] * 2


@pytest.mark.commits
@pytest.mark.parametrize("login", BOTH)
async def test_the_loop_serves_others_while_a_login_hashes(ann, login):
    Watched.open.clear()
    hashing = asyncio.create_task(login(username="ann", password="right"))
    rows = [await Author.objects.acreate(name=str(n)) for n in range(5)]
    counts = await asyncio.gather(*(Author.objects.acount() for _ in range(20)))
    assert (len(rows), counts, hashing.done()) == (5, [5] * 20, False)
    Watched.open.set()

    assert await hashing == ann


@pytest.mark.parametrize("login", BOTH)
async def test_a_login_that_hashes_holds_no_connection(ann, login):
    Watched.open.clear()
    Watched.begun.clear()
    hashing = asyncio.create_task(login(username="ann", password="right"))
    await until(Watched.begun.is_set)
    await until(lambda: not pool_stats("default").in_use)
    assert hashing.done() is False
    Watched.open.set()

    assert await hashing == ann


@pytest.mark.parametrize("login", BOTH)
async def test_an_old_hash_is_upgraded_and_saved_in_the_bridge(old_ann, login):
    saved_in = []

    def note(update_fields, **kwargs):
        saved_in.append((threading.current_thread() is threading.main_thread(), update_fields))

    post_save.connect(note, sender=User)
    try:
        user = await login(username="ann", password="right")
    finally:
        post_save.disconnect(note, sender=User)
    await user.arefresh_from_db()

    assert (user.password.split("$")[0], saved_in) == ("watched", [(True, {"password"})])
    assert Watched.done == [("encode", False)]


@pytest.mark.parametrize("login", BOTH)
async def test_an_upgrade_is_part_of_the_transaction_around_it(old_ann, login):
    with pytest.raises(ZeroDivisionError):
        async with transaction.atomic():
            await login(username="ann", password="right")
            _ = 1 / 0

    assert (await User.objects.aget()).password.split("$")[0] == "md5"


@pytest.mark.parametrize("login", BOTH)
async def test_an_unknown_user_costs_as_much_as_a_wrong_password(ann, login):
    assert await login(username="bob", password="right") is None
    unknown = [*Watched.done]
    Watched.done.clear()
    await User.objects.aupdate(password="!unusable")
    assert await login(username="ann", password="right") is None

    # Since Django 4.2.14 a user without a usable password costs as much: CVE-2024-39329.
    as_much = [("encode", False)] if django.VERSION >= (4, 2, 14) else []
    assert (unknown, Watched.done) == ([("encode", False)], as_much)


async def test_a_wrong_password_with_an_old_salt_costs_as_much_as_a_new_one(ann):
    with patch.object(Watched, "must_update", return_value=True):
        assert await run_sync(check_password, "wrong", ann.password) is False

    assert ("harden_runtime", False) in Watched.done


async def test_a_user_is_made_with_a_hash_from_a_thread(hops):
    made = await run_sync(User.objects.create_user, "bob", password="secret")

    assert Watched.done == [("encode", False)]
    assert check_password("secret", made.password)


@since_52
async def test_a_user_is_made_awaitably_with_a_hash_from_a_thread(hops):
    made = await User.objects.acreate_user("bob", password="secret")
    await User.objects.acreate_superuser("eve", password="secret")

    assert Watched.done == [("encode", False)] * 2
    assert check_password("secret", made.password)


@since_50
async def test_a_coroutine_hashes_in_a_thread(ann):
    from django.contrib.auth.hashers import acheck_password

    assert await ann.acheck_password("right") is True
    assert await acheck_password("wrong", ann.password) is False
    assert {on_main for _, on_main in Watched.done} == {False}


def test_where_no_loop_runs_nothing_needs_a_thread():
    encoded = make_password("right")

    assert check_password("right", encoded)
    assert {on_main for _, on_main in Watched.done} == {True}


@pytest.mark.commits
async def test_outside_the_bridge_synchronous_code_hashes_where_it_is():
    encoded = make_password("right")

    assert check_password("right", encoded)
    assert {on_main for _, on_main in Watched.done} == {True}


async def test_in_the_bridge_a_hasher_is_what_it_was():
    own = hashers.get_hasher("watched")
    bridged = await run_sync(hashers.get_hasher, "watched")

    assert (type(own), type(bridged).__name__) == (Watched, "Watched")
    assert isinstance(bridged, Watched)
    assert await run_sync(hashers.get_hasher, bridged) is bridged
    with patch.object(bridged, "encode", return_value="patched"):
        assert await run_sync(make_password, "right") == "patched"
        assert make_password("right") == "patched"
    summary = await run_sync(lambda: bridged.safe_summary(make_password("right")))
    assert str(summary["algorithm"]) == "watched"


async def test_an_object_that_only_behaves_like_a_hasher_is_left_alone():
    class Own:
        algorithm = "own"

        def salt(self):
            return "salt"

        def encode(self, password, salt):
            return f"{password} {salt} {threading.current_thread() is threading.main_thread()}"

    assert await run_sync(make_password, "right", hasher=Own()) == "right salt True"


async def test_a_password_that_nobody_has_needs_no_thread(no_threads):
    def refuse(*args):
        raise AssertionError("a thread was started")

    with patch.object(threading.Thread, "start", refuse):
        assert (await run_sync(make_password, None)).startswith("!")


@pytest.mark.skipif(django.VERSION < (5, 0), reason="Django hides nothing of coroutines before 5.0")
async def test_an_error_report_does_not_show_a_password_that_django_hides():
    @sensitive_variables("password")
    async def fail(username, *, password):
        raise LookupError(username)

    with pytest.raises(LookupError) as raised:
        await in_portal(fail)("ann", password="nialp-t3rc3s"[::-1])
    error = raised.value
    request = RequestFactory().get("/")
    report = ExceptionReporter(request, type(error), error, error.__traceback__.tb_next)

    assert "call_in_portal" in report.get_traceback_text()
    assert "s3cr3t-plain" not in report.get_traceback_html()
