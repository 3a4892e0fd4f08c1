"""strawberry-django's own settings, on PostgreSQL."""

import os

from psycopg.conninfo import conninfo_to_dict

# Of the checkout.
from tests.django_settings import *
from tests.django_settings import INSTALLED_APPS

SERVER = conninfo_to_dict(os.environ["DATABASE_URL"])
ADAPTER = os.environ.get("TURBO_SUITE_ADAPTER")
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
INSTALLED_APPS = [*INSTALLED_APPS, *(["turbo_orm"] if ADAPTER else [])]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
