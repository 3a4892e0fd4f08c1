"""Import every module of packages, and write what of Django and asgiref that has replaced.

python -m tests.imported turbo_orm turbo_orm_drf
"""

import importlib
import pkgutil
import sys

import django
from django.conf import settings
from django.db import connections

WATCHED = {"asgiref", "django"}
# What they import themselves replaces things, too: it is imported before.
OTHERS = ("django.test", "rest_framework.generics", "ninja", "strawberry_django", "pytest")
# Python makes it when somebody asks for it.
MADE_LATER = {"__annotations__", "__annotations_cache__"}
ABSENT = object()


def root(name):
    return name.partition(".")[0]


def held():
    """Return what the modules and classes of Django and asgiref hold, and `connections`."""
    found = {("connections", name): value for name, value in vars(connections).items()}
    for module_name, module in list(sys.modules.items()):
        if root(module_name) not in WATCHED:
            continue
        for name, value in vars(module).items():
            found[module_name, name] = value
            # isinstance() would evaluate what is lazy.
            if issubclass(type(value), type) and root(value.__module__) in WATCHED:
                owner = f"{value.__module__}.{value.__qualname__}"
                found.update({(owner, inner): each for inner, each in vars(value).items()})
    return found


def import_all(package):
    """Import a package and all that is in it; return how many modules there are."""
    path = importlib.import_module(package).__path__
    found = [module.name for module in pkgutil.walk_packages(path, f"{package}.")]
    for name in found:
        importlib.import_module(name)
    return 1 + len(found)


def main(packages):
    settings.configure(
        SECRET_KEY="-",
        INSTALLED_APPS=[f"django.contrib.{app}" for app in ("auth", "contenttypes", "sessions")],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}},
    )
    django.setup()
    for name in OTHERS:
        importlib.import_module(name)
    before = held()
    modules = sum(map(import_all, packages))
    after = held()
    owners = {owner for owner, _ in before}
    changed = [
        f"{owner}.{name}"
        for (owner, name), value in after.items()
        # A package holds the modules in it, once they are imported.
        if owner in owners and type(value) is not type(sys) and name not in MADE_LATER
        if before.get((owner, name), ABSENT) is not value
    ]
    gone = [f"{owner}.{name}" for owner, name in before.keys() - after.keys()]
    sys.stdout.write(f"{modules} {len(before)} {sorted(changed)} {sorted(gone)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
