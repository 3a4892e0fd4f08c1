"""Settings under which Django's tests run: two databases on the server of DATABASE_URL."""

import os

import django
from psycopg.conninfo import conninfo_to_dict

SERVER = conninfo_to_dict(os.environ["DATABASE_URL"])
ENGINE = os.environ.get("TURBO_TEST_ENGINE", "django.db.backends.postgresql")
SERVER_SIDE_BINDING = os.environ.get("TURBO_SERVER_SIDE_BINDING") == "1"


def database(name: str) -> dict[str, object]:
    """Return the settings of one database."""
    return {
        "ENGINE": ENGINE,
        # It exists, for what is asked before the test databases are made.
        "NAME": SERVER.get("dbname", "postgres"),
        "TEST": {"NAME": f"suite_{name}_{os.getpid()}"},
        "USER": SERVER.get("user", ""),
        "PASSWORD": SERVER.get("password", ""),
        "HOST": SERVER.get("host", ""),
        "PORT": str(SERVER.get("port", "")),
        "OPTIONS": {"server_side_binding": True} if SERVER_SIDE_BINDING else {},
    }


DATABASES = {"default": database("default"), "other": database("other")}
# Django's tests hold several connections at once only where they start threads of their own.
TURBO_ORM = {
    "POOL": {alias: {"min_size": 1, "max_size": 8} for alias in DATABASES},
    # Some of Django's tests leave before a view that is done at once could be patient.
    "DISCONNECT_PATIENCE": 0,
    "PLANS": os.environ.get("TURBO_SUITE_PLANS", "verify"),
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "only for tests"
TEST_RUNNER = "tests.django_suite.runner.SuiteRunner"
USE_TZ = False
if django.VERSION < (6, 0):
    DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
