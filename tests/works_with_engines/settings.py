"""Settings of the project; WORKS_WITH_ENGINE says which engine it uses."""

import os

from tests.works_with_settings import *  # noqa: F403
from tests.works_with_settings import databases

FLAVOUR = os.environ["WORKS_WITH_ENGINE"]
# The label of an application is there but once.
PROJECT = "items" if FLAVOUR == "psqlextra" else FLAVOUR
ENGINES = {
    "postgis": "django.contrib.gis.db.backends.postgis",
    "prometheus": "django_prometheus.db.backends.postgresql",
    "psqlextra": "psqlextra.backend",
    "tenants": "django_tenants.postgresql_backend",
}
OWN_APPS = {
    "postgis": ["django.contrib.gis"],
    "prometheus": ["django_prometheus"],
    "psqlextra": ["django.contrib.postgres", "psqlextra"],
    "tenants": ["django_tenants"],
}
DATABASES = databases(ENGINES[FLAVOUR], FLAVOUR)
INSTALLED_APPS = [
    *OWN_APPS[FLAVOUR],
    "django.contrib.contenttypes",
    "turbo_orm",
    f"tests.works_with_engines.{PROJECT}",
]
MIGRATION_MODULES = dict.fromkeys(["contenttypes"])
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = f"tests.works_with_engines.{PROJECT}.urls"
if FLAVOUR == "tenants":
    INSTALLED_APPS.append("tests.works_with_engines.tenants_items")
    SHARED_APPS = ["django_tenants", "django.contrib.contenttypes", INSTALLED_APPS[-2]]
    TENANT_APPS = ["django.contrib.contenttypes", "tests.works_with_engines.tenants_items"]
    TENANT_MODEL = "tenants.Client"
    TENANT_DOMAIN_MODEL = "tenants.Domain"
    DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
    MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]
