"""Settings of the project whose tests are themselves tested; see test_rollback_project.py."""

import os

from psycopg.conninfo import conninfo_to_dict

SERVER = conninfo_to_dict(os.environ["DATABASE_URL"])
# The judge looks into the databases after the run.
NAME = os.environ["ROLLBACK_NAME"]


def database(alias: str) -> dict[str, object]:
    """Return the settings of one database of the test server."""
    return {
        "ENGINE": os.environ.get("TURBO_TEST_ENGINE", "django.db.backends.postgresql"),
        "NAME": SERVER.get("dbname", "postgres"),
        "USER": SERVER.get("user", ""),
        "PASSWORD": SERVER.get("password", ""),
        "HOST": SERVER.get("host", ""),
        "PORT": str(SERVER.get("port", "")),
        "TEST": {"NAME": f"{NAME}_{alias}"},
    }


DATABASES = {"default": database("default"), "other": database("other")}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "turbo_orm",
    "bank",
]
# Tables made from the models are made faster.
MIGRATION_MODULES = dict.fromkeys(["admin", "auth", "contenttypes", "sessions"])
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "bank.urls"
SECRET_KEY = "only for tests"
USE_TZ = True
