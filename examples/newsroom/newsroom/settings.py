"""Settings of the newsroom; the database is the one that DATABASE_URL names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django
from psycopg.conninfo import conninfo_to_dict

BASE_DIR = Path(__file__).resolve().parent.parent

# Good enough for an example on a loopback address, and for nothing else.
SECRET_KEY = os.environ.get("NEWSROOM_SECRET_KEY", "newsroom-example-only")
DEBUG = os.environ.get("NEWSROOM_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ninja",
    "rest_framework",
    "strawberry_django",
    "turbo_orm",
    "articles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "newsroom.urls"
ASGI_APPLICATION = "newsroom.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def database(url: str, engine: str) -> dict[str, Any]:
    """Turn a libpq URI or DSN into Django's settings; what it has no name for is an option."""
    options: dict[str, Any] = dict(conninfo_to_dict(url))
    settings = {
        "ENGINE": engine,
        "NAME": options.pop("dbname", "postgres"),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": str(options.pop("port", "")),
        "OPTIONS": options,
    }
    # Older Djangos do not know this option: there Turbo ORM's own defaults, the same two, apply.
    if django.VERSION >= (5, 1):
        options["pool"] = {"min_size": 2, "max_size": 10}
    return settings


DATABASES = {
    "default": database(
        os.environ.get("DATABASE_URL", "postgresql:///newsroom"),
        os.environ.get("NEWSROOM_ENGINE", "django.db.backends.postgresql"),
    ),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The only synchronous views are those of the admin and of signing in, which wait for nothing but
# the database.
TURBO_ORM = {"SYNC_VIEWS": "loop"}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
