"""Settings of the project: REPLACING is the package, WORKS_WITH_FLAVOUR what is installed."""

import os

from tests.works_with_settings import *  # noqa: F403
from tests.works_with_settings import databases

PACKAGE, FLAVOUR = os.environ["REPLACING"], os.environ["WORKS_WITH_FLAVOUR"]

DATABASES = databases("django.db.backends.postgresql", f"{PACKAGE}_{FLAVOUR}")
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    PACKAGE,
    *([] if FLAVOUR == "stock" else ["turbo_orm"]),
    "tests.works_with.replacing",
]
MIGRATION_MODULES = {"contenttypes": None, "djmoney": None}
CACHEOPS_REDIS = {"host": "replacing", "port": 6379}
CACHEOPS = {"replacing.*": {"ops": "all", "timeout": 60}}
CURRENCIES = ("EUR", "USD")
ROOT_URLCONF = "tests.works_with.replacing.urls"
