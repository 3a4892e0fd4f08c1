"""The settings of Ninja's tests, on PostgreSQL."""

import os

# Of the tests.
from demo.settings import *
from demo.settings import INSTALLED_APPS
from psycopg.conninfo import conninfo_to_dict

SERVER = conninfo_to_dict(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": SERVER.get("dbname", "postgres"),
        "USER": SERVER.get("user", ""),
        "PASSWORD": SERVER.get("password", ""),
        "HOST": SERVER.get("host", ""),
        "PORT": str(SERVER.get("port", "")),
        "TEST": {"NAME": f"turbo_suite_{os.getpid()}"},
    }
}
INSTALLED_APPS = [
    *INSTALLED_APPS,
    *(["turbo_orm"] if os.environ.get("TURBO_SUITE_ADAPTER") else []),
]
