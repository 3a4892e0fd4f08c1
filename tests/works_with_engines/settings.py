"""Settings of the project; WORKS_WITH_ENGINE says which engine it uses."""

import os

from psycopg.conninfo import conninfo_to_dict

SERVER = conninfo_to_dict(os.environ["DATABASE_URL"])
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
DATABASES = {
    "default": {
        "ENGINE": ENGINES[FLAVOUR],
        "NAME": SERVER.get("dbname", "postgres"),
        "USER": SERVER.get("user", ""),
        "PASSWORD": SERVER.get("password", ""),
        "HOST": SERVER.get("host", ""),
        "PORT": str(SERVER.get("port", "")),
        "TEST": {"NAME": f"works_with_{FLAVOUR}_{os.getpid()}"},
    }
}
INSTALLED_APPS = [
    *OWN_APPS[FLAVOUR],
    "django.contrib.contenttypes",
    "turbo_orm",
    f"tests.works_with_engines.{PROJECT}",
]
MIGRATION_MODULES = dict.fromkeys(["contenttypes"])
TURBO_ORM = {"POOL": {"default": {"min_size": 1, "max_size": 4, "timeout": 30}}}
ALLOWED_HOSTS = ["*"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = f"tests.works_with_engines.{PROJECT}.urls"
SECRET_KEY = "only for tests"
USE_TZ = True
if FLAVOUR == "tenants":
    INSTALLED_APPS.append("tests.works_with_engines.tenants_items")
    SHARED_APPS = ["django_tenants", "django.contrib.contenttypes", INSTALLED_APPS[-2]]
    TENANT_APPS = ["django.contrib.contenttypes", "tests.works_with_engines.tenants_items"]
    TENANT_MODEL = "tenants.Client"
    TENANT_DOMAIN_MODEL = "tenants.Domain"
    DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
    MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]
