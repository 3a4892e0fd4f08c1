"""Settings of all flavours; only what ``CALLERS_FLAVOUR`` names differs."""

import os

from tests.callers import STOCK
from tests.settings import database

FLAVOUR = os.environ["CALLERS_FLAVOUR"]

DATABASES = {"default": {**database("default"), "NAME": os.environ["CALLERS_DATABASE"]}}
DATABASES["other"] = dict(DATABASES["default"])
TURBO_ORM = {"POOL": {"default": {"min_size": 1, "max_size": 4, "timeout": 10}}}
INSTALLED_APPS = ["tests.callers"]
if FLAVOUR != STOCK:
    INSTALLED_APPS.append("turbo_orm")
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.callers.urls"
SECRET_KEY = "only for tests"
USE_TZ = True
