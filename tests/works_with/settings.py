"""Settings of the project; WORKS_WITH_FLAVOUR says whether Turbo ORM is installed."""

import os

from tests.works_with_settings import *  # noqa: F403
from tests.works_with_settings import POOL, databases

FLAVOUR = os.environ["WORKS_WITH_FLAVOUR"]
TURBO = FLAVOUR.startswith("turbo")

DATABASES = databases("django.db.backends.postgresql", FLAVOUR)
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sites",
    "allauth",
    "allauth.account",
    "cacheops",
    "django_currentuser",
    "mptt",
    "pghistory",
    "pgtrigger",
    "silk",
    *(["turbo_orm"] if TURBO else []),
    "tests.works_with.shop",
]
# Their tables are made from the models. Those of pghistory have functions too.
MIGRATION_MODULES = dict.fromkeys(["account", "auth", "contenttypes", "sessions", "silk", "sites"])
MIDDLEWARE = [
    "silk.middleware.SilkyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "tests.works_with.shop.middleware.UserFromHeader",
    "allauth.account.middleware.AccountMiddleware",
    "crum.CurrentRequestUserMiddleware",
    "django_currentuser.middleware.ThreadLocalUserMiddleware",
    "django_multitenant.middlewares.MultitenantMiddleware",
    "pghistory.middleware.HistoryMiddleware",
]
TURBO_ORM = {
    "POOL": POOL,
    "PLANS": "off" if FLAVOUR == "turbo_without_plans" else "on",
}
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
CACHEOPS_REDIS = {"host": "works-with", "port": 6379}
CACHEOPS = {"shop.item": {"ops": "get", "timeout": 60}}


def is_profiled(request):
    return request.path.startswith("/silk/")


SILKY_INTERCEPT_FUNC = is_profiled
SILKY_META = False
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
ALLOWED_HOSTS = ["testserver"]
DEBUG_PROPAGATE_EXCEPTIONS = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "tests.works_with.shop.urls"
SITE_ID = 1
STATIC_URL = "static/"
