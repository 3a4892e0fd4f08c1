"""Settings of the tests: two PostgreSQL databases on the server that DATABASE_URL names."""

import os

from psycopg.conninfo import conninfo_to_dict

ENGINE = os.environ.get("TURBO_TEST_ENGINE", "django.db.backends.postgresql")
SERVER = conninfo_to_dict(os.environ.get("TURBO_TEST_DSN") or os.environ.get("DATABASE_URL", ""))


def database(name: str) -> dict[str, object]:
    """Return the settings of one database of the test server."""
    return {
        "ENGINE": ENGINE,
        "NAME": SERVER.get("dbname", "postgres"),
        "USER": SERVER.get("user", ""),
        "PASSWORD": SERVER.get("password", ""),
        "HOST": SERVER.get("host", ""),
        "PORT": str(SERVER.get("port", "")),
        "TEST": {"NAME": f"turbo_{name}_{os.getpid()}"},
    }


DATABASES = {"default": database("default"), "other": database("other")}
# Here and not in OPTIONS["pool"], which the synchronous backend of Django 4.2 does not know.
TURBO_ORM = {
    "POOL": {
        "default": {"min_size": 1, "max_size": 4, "timeout": 30},
        "other": {"min_size": 1, "max_size": 2, "timeout": 30},
    }
}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django_filters",
    "drf_spectacular",
    "rest_framework",
    "rest_framework.authtoken",
    "turbo_orm",
    "guardian",
    "polymorphic",
    "tests.readme_drf",
    "tests.readme_ninja",
    "tests.readme_strawberry",
    "tests.strawberry",
    "tests.testapp",
]
# Their tables are made from the models, like those of the test application.
MIGRATION_MODULES = dict.fromkeys(
    ["admin", "auth", "authtoken", "contenttypes", "guardian", "sessions"]
)
# Guardian's, which otherwise makes a user of its own.
ANONYMOUS_USER_NAME = None
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
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
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
ROOT_URLCONF = "tests.testapp.urls"
SECRET_KEY = "only for tests"
STATIC_URL = "static/"
USE_TZ = True
