"""Users, permissions and the decorators for views, awaited without a thread."""

import threading

import django
import pytest
from django.contrib.auth.backends import BaseBackend, ModelBackend, RemoteUserBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.test import AsyncRequestFactory, override_settings

from tests.testapp.models import Plain
from turbo_orm import run_sync

pytestmark = pytest.mark.rolled_back

since_50 = pytest.mark.skipif(django.VERSION < (5, 0), reason="alogin: Django 5.0")
since_51 = pytest.mark.skipif(django.VERSION < (5, 1), reason="decorators of coroutines: 5.1")
since_52 = pytest.mark.skipif(django.VERSION < (5, 2), reason="ahas_perm: Django 5.2")

MODULE = "tests.integration.test_redirect_users"


@pytest.fixture(autouse=True)
def hosts():
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        yield


@pytest.fixture
async def ann():
    return await User.objects.acreate(username="ann", password="!never asked")


@pytest.fixture
async def permitted(ann):
    """Ann, who may add by herself and change by her group."""
    kind = await run_sync(ContentType.objects.get_for_model, Plain)
    rows = {
        name: (await Permission.objects.aget_or_create(content_type=kind, codename=name))[0]
        for name in ("add_plain", "change_plain")
    }
    group = await Group.objects.acreate(name="editors")
    await group.permissions.aadd(rows["change_plain"])
    await ann.groups.aadd(group)
    await ann.user_permissions.aadd(rows["add_plain"])
    return await User.objects.aget(pk=ann.pk)


def requested(user=None, session=None):
    """A request as Django's middleware leaves it."""
    request = AsyncRequestFactory().get("/page/")
    request.session = session or SessionStore()
    request.user = user or AnonymousUser()

    async def auser():
        return request.user

    request.auser = auser
    return request


@since_50
async def test_a_user_logs_in_is_found_and_logs_out(ann):
    from django.contrib.auth import aget_user, alogin, alogout

    request = requested()
    await alogin(request, ann, backend="django.contrib.auth.backends.ModelBackend")
    await run_sync(request.session.save)
    assert await Session.objects.acount() == 1
    later = requested(session=SessionStore(request.session.session_key))
    assert await aget_user(later) == ann
    await alogout(later)

    assert await aget_user(requested(session=later.session)) == AnonymousUser()
    assert await Session.objects.acount() == 0


@since_50
async def test_a_login_is_undone_with_its_transaction(ann):
    from django.contrib.auth import alogin

    with pytest.raises(ZeroDivisionError):
        async with transaction.atomic():
            await alogin(requested(), ann, "django.contrib.auth.backends.ModelBackend")
            assert await Session.objects.acount() == 1
            _ = 1 / 0
    await ann.arefresh_from_db()

    assert (ann.last_login, await Session.objects.acount()) == (None, 0)


@since_50
async def test_the_session_hash_is_updated_awaitably(ann):
    from django.contrib.auth import HASH_SESSION_KEY, aupdate_session_auth_hash

    request = requested(ann)
    await aupdate_session_auth_hash(request, ann)

    assert request.session[HASH_SESSION_KEY] == ann.get_session_auth_hash()


@since_52
async def test_permissions_are_asked_for_without_a_thread(permitted):
    own, groups = {"testapp.add_plain"}, {"testapp.change_plain"}

    assert await permitted.aget_user_permissions() == own
    assert await permitted.aget_group_permissions() == groups
    assert await permitted.aget_all_permissions() == own | groups
    assert await permitted.ahas_perm("testapp.add_plain") is True
    assert await permitted.ahas_perms(["testapp.add_plain", "testapp.delete_plain"]) is False
    assert await permitted.ahas_module_perms("testapp") is True


class OwnBackend(BaseBackend):
    """Has the synchronous methods only."""

    def authenticate(self, request, token=None):
        assert threading.current_thread() is threading.main_thread()
        return User.objects.filter(username=token).first()

    def get_user(self, user_id):
        return User.objects.filter(pk=user_id).first()

    def get_user_permissions(self, user_obj, obj=None):
        return set(User.objects.values_list("username", flat=True))

    def get_group_permissions(self, user_obj, obj=None):
        return set(Group.objects.values_list("name", flat=True))


@since_52
async def test_a_backend_with_synchronous_methods_runs_in_the_bridge(ann):
    from django.contrib.auth import aauthenticate

    await Group.objects.acreate(name="editors")
    with override_settings(AUTHENTICATION_BACKENDS=[f"{MODULE}.OwnBackend"]):
        assert await aauthenticate(token="ann") == ann
        assert await aauthenticate(token="bob") is None
        assert await OwnBackend().aget_user(ann.pk) == ann
        assert await ann.aget_all_permissions() == {"ann", "editors"}
        assert await ann.ahas_perm("editors") is True


class Configuring(RemoteUserBackend):
    def configure_user(self, request, user, created=True):
        user.first_name = f"created: {created}"
        user.save()
        return user


@since_52
async def test_a_remote_user_is_made_and_configured_in_the_bridge():
    made = await Configuring().aauthenticate(None, remote_user="eve")

    assert (made.username, made.first_name) == ("eve", "created: True")
    assert await User.objects.acount() == 1


async def shown(request):
    return HttpResponse("shown")


@since_51
async def test_a_coroutine_view_is_for_users_who_have_logged_in(ann):
    from django.contrib.auth.decorators import login_required

    view = login_required(shown, login_url="/login/")

    assert (await view(requested(ann))).content == b"shown"
    assert (await view(requested())).headers["Location"] == "/login/?next=/page/"


@since_51
async def test_a_synchronous_test_of_a_coroutine_view_may_query(ann):
    from django.contrib.auth.decorators import user_passes_test

    def is_only_user(user):
        return [*User.objects.all()] == [user]

    view = user_passes_test(is_only_user, login_url="/login/")(shown)

    assert (await view(requested(ann))).content == b"shown"
    assert (await view(requested())).status_code == 302


@since_51
async def test_a_synchronous_view_may_have_a_coroutine_test(ann):
    from django.contrib.auth.decorators import user_passes_test

    async def is_only_user(user):
        return [row async for row in User.objects.all()] == [user]

    @user_passes_test(is_only_user, login_url="/login/")
    def view(request):
        return HttpResponse("shown")

    assert (await run_sync(view, requested(ann))).content == b"shown"
    assert (await run_sync(view, requested())).status_code == 302


@since_52
async def test_a_coroutine_view_is_for_users_with_a_permission(permitted):
    from django.contrib.auth.decorators import permission_required

    adding = permission_required("testapp.add_plain")(shown)
    deleting = permission_required("testapp.delete_plain", raise_exception=True)(shown)

    assert (await adding(requested(permitted))).content == b"shown"
    with pytest.raises(PermissionDenied):
        await deleting(requested(permitted))


async def test_synchronous_authentication_needs_no_thread_in_the_bridge(permitted):
    def ask():
        backend = ModelBackend()
        return backend.get_user(permitted.pk), backend.get_all_permissions(permitted)

    assert await run_sync(ask) == (permitted, {"testapp.add_plain", "testapp.change_plain"})
