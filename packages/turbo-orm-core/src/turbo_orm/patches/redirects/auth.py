"""The rows for users, permissions and passwords."""

from __future__ import annotations

import functools

from .. import hashing, threads
from .row import Redirect

_of_auth = functools.partial(Redirect, app="django.contrib.auth")
_BACKEND = (
    *("BaseBackend.aauthenticate", "BaseBackend.aget_user"),
    *("BaseBackend.aget_group_permissions", "BaseBackend.aget_user_permissions"),
    "RemoteUserBackend.aconfigure_user",
)
_FUNCTIONS = ("aauthenticate", "aget_user", "alogin", "alogout")

USERS = (
    _of_auth(
        "django.contrib.auth",
        "sync_to_async",
        threads.sync_to_async,
        _FUNCTIONS,
        since=(5, 0),
        before=(5, 2),
    ),
    _of_auth(
        "django.contrib.auth",
        "sync_to_async",
        threads.sync_to_async,
        ("aupdate_session_auth_hash",),
        since=(5, 0),
        before=(5, 1),
    ),
    _of_auth(
        "django.contrib.auth.backends",
        "sync_to_async",
        threads.sync_to_async,
        _BACKEND,
        since=(5, 2),
    ),
    _of_auth(
        "django.contrib.auth.decorators",
        "sync_to_async",
        threads.sync_to_async,
        ("user_passes_test:_view_wrapper",),
        since=(5, 1),
    ),
    _of_auth(
        "django.contrib.auth.decorators",
        "async_to_sync",
        threads.async_to_sync,
        ("user_passes_test:_view_wrapper",),
        since=(5, 1),
    ),
    _of_auth(
        "django.contrib.auth.middleware",
        "sync_to_async",
        threads.sync_to_async,
        ("RemoteUserMiddleware.__acall__",),
        since=(5, 2, 2),
        before=(6, 1),
    ),
)

PASSWORDS = (
    _of_auth(
        "django.contrib.auth.hashers",
        "get_hasher",
        hashing.get_hasher,
        ("check_password", "identify_hasher", "make_password"),
        before=(5, 0),
    ),
    _of_auth(
        "django.contrib.auth.hashers",
        "get_hasher",
        hashing.get_hasher,
        ("identify_hasher", "make_password", "verify_password"),
        since=(5, 0),
    ),
    _of_auth(
        "django.contrib.auth.hashers",
        "acheck_password",
        hashing.in_portal,
        since=(5, 0),
        before=(6, 0),
    ),
    _of_auth(
        "django.contrib.auth.hashers",
        "sync_to_async",
        hashing.in_thread,
        ("acheck_password",),
        since=(6, 0),
    ),
    _of_auth(
        "django.contrib.auth",
        "sync_to_async",
        hashing.in_thread,
        ("acheck_password_with_timing_attack_mitigation",),
        since=(6, 1),
    ),
    # Coroutine functions that call what hashes as if it took no time.
    _of_auth(
        "django.contrib.auth.base_user.AbstractBaseUser",
        "acheck_password",
        hashing.in_portal,
        since=(5, 0),
    ),
    _of_auth(
        "django.contrib.auth.backends.ModelBackend",
        "aauthenticate",
        hashing.in_portal,
        since=(5, 2),
        before=(6, 1),
    ),
    _of_auth(
        "django.contrib.auth.models.UserManager",
        "_acreate_user",
        hashing.in_portal,
        since=(5, 2),
    ),
)

AUTH = (*USERS, *PASSWORDS)
