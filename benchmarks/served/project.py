"""The Django project's settings: those of `startproject`, and the fastest that are documented."""

from __future__ import annotations

from typing import Any

import django

from benchmarks.peers.django_settings import configure, fixed_pool

# What the seven default middleware need.
CONTRIB = (
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
)
APPS = (*CONTRIB, "benchmarks.served")
# The seven of `startproject`, in its order.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def settings_for(*, middleware: bool, urls: str = "benchmarks.served.views") -> dict[str, Any]:
    """Return what all variants of the project have in common.

    Args:
        middleware: whether the seven default middleware are on.
        urls: the module of the views.
    """
    return {
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "MIDDLEWARE": MIDDLEWARE if middleware else [],
        "ROOT_URLCONF": urls,
        "TEMPLATES": TEMPLATES,
        "TIME_ZONE": "UTC",
    }


def set_up_stock(
    conninfo: str, *, connections: int, apps: tuple[str, ...] = APPS, **settings: Any
) -> None:
    """Set Django up as it comes, with its own pool where it has one."""
    # Its synchronous backend has a pool since 5.1; before, a connection per request.
    pool = fixed_pool(connections) if django.VERSION >= (5, 1) else None
    configure(conninfo, manager="django.db.models.Manager", pool=pool, apps=apps, **settings)


def set_up_turbo(
    conninfo: str, *, connections: int, apps: tuple[str, ...] = APPS, **settings: Any
) -> None:
    """Set Django up with this package."""
    settings["TURBO_ORM"] = {"POOL": {"default": fixed_pool(connections)}}
    configure(conninfo, manager="turbo_orm.AsyncManager", apps=("turbo_orm", *apps), **settings)


def asgi_application(
    conninfo: str,
    *,
    turbo: bool,
    connections: int,
    apps: tuple[str, ...] = APPS,
    **settings: Any,
) -> Any:
    """Set Django up and return its own ASGI handler, or this package's.

    Args:
        conninfo: the database, as libpq writes it.
        turbo: whether it is this package's handler, manager and pool.
        connections: the size of the pool.
        apps: the project's in INSTALLED_APPS.
        **settings: further settings.
    """
    if turbo:
        set_up_turbo(conninfo, connections=connections, apps=apps, **settings)
        from turbo_orm.asgi import get_asgi_application
    else:
        set_up_stock(conninfo, connections=connections, apps=apps, **settings)
        from django.core.asgi import get_asgi_application
    return get_asgi_application()


def log_in() -> str:
    """Make a user and a session of theirs; return the value of the cookie."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import connections

    user = User.objects.create_user("reader")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    connections.close_all()
    return str(session.session_key)
