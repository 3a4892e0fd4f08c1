"""A search and replace moves a project of DRF's over, settings and applications included."""

import importlib
import importlib.util
import json
import pickle
import pkgutil
import sys

import pytest
import rest_framework
from rest_framework.permissions import AllowAny

import turbo_orm_drf
from tests.drf.moved import moved
from tests.project import run

OWN = {module.name for module in pkgutil.iter_modules(turbo_orm_drf.__path__)}
pytestmark = pytest.mark.timeout(120)

# As a user writes them; `moved` makes of them what the README's command does.
SETTINGS = """
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework.authtoken",
    "turbo_orm",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "never_asked"}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "EXCEPTION_HANDLER": "rest_framework.views.exception_handler",
    "PAGE_SIZE": 10,
}
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
ROOT_URLCONF = "urls"
SECRET_KEY = "only for tests"
STATIC_URL = "static/"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ALLOWED_HOSTS = ["testserver"]
"""
URLS = """
from django.contrib import admin
from django.urls import include, path
from rest_framework.authtoken.views import obtain_auth_token
from rest_framework.response import Response
from rest_framework.views import APIView

class Hello(APIView):
    authentication_classes = []

    def get(self, request):
        return Response({"hello": "world"})

urlpatterns = [
    path("admin/", admin.site.urls),
    path("auth/", include("rest_framework.urls", namespace="rest_framework")),
    path("token/", obtain_auth_token),
    path("hello/", Hello.as_view()),
]
"""
LOOK = """
import importlib, json, pkgutil
import django
django.setup()

import rest_framework
from django.core.management import call_command
from django.apps import apps
from django.conf import settings
from django.template import engines
from django.test import Client
from rest_framework.settings import api_settings
from rest_framework.authtoken.models import Token

modules = [one.name for one in pkgutil.walk_packages(rest_framework.__path__, "rest_framework.")]
for name in modules:
    importlib.import_module(name)
call_command("check", fail_level="WARNING")
browsed = Client().get("/hello/", headers={"accept": "text/html"})
template = engines["django"].from_string(
    "{% load rest_framework %}{% optional_login request %}"
)
print(json.dumps({
    "installed": [name for name in settings.INSTALLED_APPS if not name.startswith("django.")],
    "applications": [(one.label, one.name) for one in apps.get_app_configs()
                     if not one.name.startswith("django.")],
    "policies": [
        f"{one.__module__}.{one.__name__}"
        for one in (*api_settings.DEFAULT_PERMISSION_CLASSES,
                    *api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    ],
    "token": [Token._meta.label, Token._meta.abstract, Token._meta.db_table],
    "models": sorted(m._meta.label for m in apps.get_models() if "oken" in m.__name__),
    "browsed": [browsed.status_code, b"/auth/login/?next=/hello/" in browsed.content],
    "tag": "/auth/login/" in template.render({}, browsed.wsgi_request),
}))
"""


def parts(package):
    """Return the names of all modules below DRF, as they follow the name of the package."""
    walked = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [module.name.removeprefix(package.__name__) for module in walked]


# Admins are for applications that are installed; the project below imports these.
@pytest.mark.parametrize("name", parts(rest_framework))
def test_every_module_of_drf_can_be_imported_by_our_name(name):
    ours = importlib.import_module(f"turbo_orm_drf{name}")
    theirs = importlib.import_module(f"rest_framework{name}")

    if name.removeprefix(".") in OWN:
        assert ours.__name__ == f"turbo_orm_drf{name}"
    else:
        assert ours is theirs is sys.modules[f"turbo_orm_drf{name}"]
    assert theirs.__name__ == theirs.__spec__.name == f"rest_framework{name}"


def test_every_name_of_drf_itself_is_ours_too():
    names = {name for name in vars(rest_framework) if not name.startswith("_")}

    assert {name for name in names if not hasattr(turbo_orm_drf, name)} == set()


def test_imports_of_each_form_give_drfs_objects():
    import turbo_orm_drf.utils.encoders
    from turbo_orm_drf import permissions
    from turbo_orm_drf.permissions import AllowAny as Ours
    from turbo_orm_drf.utils import json as jsons

    assert Ours is permissions.AllowAny is AllowAny
    encoders = importlib.import_module("rest_framework.utils.encoders")
    assert turbo_orm_drf.utils.encoders is encoders
    assert jsons is importlib.import_module("rest_framework.utils.json")
    assert pickle.dumps(Ours) == pickle.dumps(AllowAny)
    assert b"turbo_orm_drf" not in pickle.dumps(Ours)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("turbo_orm_drf.nonsense", "No module named 'turbo_orm_drf.nonsense'"),
        ("turbo_orm_drf.utils.nonsense", "No module named 'turbo_orm_drf.utils.nonsense'"),
        ("turbo_orm_drf.status.nonsense", "'turbo_orm_drf.status' is not a package"),
    ],
)
def test_a_module_that_drf_lacks_is_an_import_error(name, message):
    with pytest.raises(ModuleNotFoundError, match=message):
        importlib.import_module(name)


def test_a_module_is_found_without_being_imported():
    spec = importlib.util.find_spec("turbo_orm_drf.management.commands")

    assert spec.name.endswith("management.commands")
    assert importlib.util.find_spec("turbo_orm_drf.nonsense") is None


def look(folder, settings, urls=URLS):
    """Start a project; return what its settings, its models and its pages are."""
    (folder / "settings.py").write_text(settings)
    (folder / "urls.py").write_text(urls)
    return json.loads(run(folder, "-c", LOOK, DJANGO_SETTINGS_MODULE="settings").splitlines()[-1])


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """The project before anything of it is moved."""
    found = look(tmp_path_factory.mktemp("stock"), SETTINGS)
    assert found["token"] == ["authtoken.Token", False, "authtoken_token"]
    assert found["browsed"] == [200, True]
    return found


def test_a_project_that_is_searched_and_replaced_is_the_same(stock, tmp_path):
    assert '"rest_framework' not in moved(SETTINGS)

    assert look(tmp_path, moved(SETTINGS), moved(URLS)) == stock


def test_one_name_moved_is_enough(stock, tmp_path):
    only_tokens = SETTINGS.replace('"rest_framework.authtoken"', '"turbo_orm_drf.authtoken"')

    assert look(tmp_path, only_tokens) == stock


def test_both_names_may_be_installed(stock, tmp_path):
    both = SETTINGS.replace('"rest_framework",', '"rest_framework",\n    "turbo_orm_drf",')
    more = {
        "installed": [stock["installed"][0], "turbo_orm_drf", *stock["installed"][1:]],
        "applications": [
            *(stock["applications"][0], ["turbo_orm_drf"] * 2, *stock["applications"][1:])
        ],
    }

    assert look(tmp_path, both) == stock | more
