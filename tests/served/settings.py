"""Settings of the served project: those of the tests, on the database that SERVED names."""

import json
import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, TURBO_ORM

CHANGES = json.loads(os.environ.get("SERVED", "{}"))
DATABASES["default"].update(CHANGES.get("DATABASE", {}))
del DATABASES["other"]
TURBO_ORM.update({"POOL": {"default": {"min_size": 1, "max_size": 8, "timeout": 30}}})
# Clients leave at any moment: what is cancelled early shows more than what is answered.
TURBO_ORM["DISCONNECT_PATIENCE"] = 0
TURBO_ORM.update(CHANGES.get("TURBO_ORM", {}))
# No more than it serves: all that the other tests need takes seconds to import.
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "turbo_orm",
    "tests.testapp",
    "tests.served",
]
ALLOWED_HOSTS = ["127.0.0.1"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
PASSWORD_HASHERS = ["tests.served.hashers.Hasher"]
ROOT_URLCONF = "tests.served.urls"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
