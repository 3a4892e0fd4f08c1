"""A project as the READMEs ask for it: the package in INSTALLED_APPS, PostgreSQL, nothing more."""

import os

from psycopg.conninfo import conninfo_to_dict

PACKAGE = os.environ["WHEELS_PACKAGE"]
SERVER = conninfo_to_dict(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": os.environ["WHEELS_ENGINE"],
        "NAME": os.environ["WHEELS_DATABASE"],
        "USER": SERVER.get("user", ""),
        "PASSWORD": SERVER.get("password", ""),
        "HOST": SERVER.get("host", ""),
        "PORT": str(SERVER.get("port", "")),
    }
}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    *(["rest_framework"] if PACKAGE == "drf" else []),
    "turbo_orm",
    "quick",
]
ALLOWED_HOSTS = ["testserver"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if PACKAGE != "core":
    # The README's example is one module: models, and what serves them.
    ROOT_URLCONF = "quick.models"
SECRET_KEY = "made up"
USE_TZ = True
