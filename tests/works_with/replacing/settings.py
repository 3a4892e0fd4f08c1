"""Settings of the project: REPLACING is the package, WORKS_WITH_FLAVOUR what is installed."""

import os

from tests.works_with_settings import (
    DEFAULT_AUTO_FIELD,
    POOL,
    SECRET_KEY,
    USE_TZ,
    databases,
)

__all__ = ["DEFAULT_AUTO_FIELD", "SECRET_KEY", "USE_TZ"]

PACKAGE, FLAVOUR = os.environ["REPLACING"], os.environ["WORKS_WITH_FLAVOUR"]

DATABASES = databases("django.db.backends.postgresql", f"{PACKAGE}_{FLAVOUR}")
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    PACKAGE,
    *([] if FLAVOUR == "stock" else ["turbo_orm"]),
    "tests.works_with.replacing",
]
MIGRATION_MODULES = {"contenttypes": None, "djmoney": None}
TURBO_ORM = {"POOL": POOL}
CACHEOPS_CLIENT_CLASS = "tests.works_with.shop.redis.Redis"
CACHEOPS_REDIS = {"host": "replacing", "port": 6379}
CACHEOPS = {"replacing.*": {"ops": "all", "timeout": 60}}
CURRENCIES = ("EUR", "USD")
ROOT_URLCONF = "tests.works_with.replacing.urls"
