"""Settings of the project: what controllers need, and the models of the tests."""

from tests.works_with_settings import *  # noqa: F403
from tests.works_with_settings import databases

DATABASES = databases("django.db.backends.postgresql", "extra")
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "ninja_extra",
    "turbo_orm",
    "tests.testapp",
]
MIGRATION_MODULES = {"auth": None, "contenttypes": None}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
ROOT_URLCONF = "tests.works_with.extra.urls"
