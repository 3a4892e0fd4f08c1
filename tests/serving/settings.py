"""Settings of both flavours; only what ``SERVING_FLAVOUR`` names differs."""

import os
from pathlib import Path

from tests.settings import database

from .flavours import FLAVOURS, OURS
from .stacks import STACKS

FLAVOUR = os.environ["SERVING_FLAVOUR"]

DATABASES = {"default": {**database("default"), "TEST": {"NAME": os.environ["SERVING_DATABASE"]}}}
TURBO_ORM = {
    "POOL": {"default": {"min_size": 1, "max_size": 4, "timeout": 10}},
    **FLAVOURS[FLAVOUR],
}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "tests.serving",
]
if FLAVOUR in OURS:
    INSTALLED_APPS.append("turbo_orm")
# Their tables are made from the models.
MIGRATION_MODULES = dict.fromkeys(["auth", "contenttypes", "sessions"])
MIDDLEWARE = STACKS["defaults"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "table": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "serving_cache",
    },
}
ALLOWED_HOSTS = ["testserver"]
DEFAULT_EXCEPTION_REPORTER = "tests.serving.reporter.ShortReporter"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French")]
LOGIN_URL = "/accounts/login/"
# The recorder listens; Django's own handlers would only print and mail.
LOGGING_CONFIG = None
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "tests.serving.urls"
SECRET_KEY = "only for tests"
USE_TZ = True
