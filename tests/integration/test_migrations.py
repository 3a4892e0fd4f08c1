"""What migrations of a project say of its base classes, and that they run."""

import os
import re

import pytest

from tests.project import database, run
from turbo_orm import AsyncQuerySet

pytestmark = pytest.mark.timeout(300)

SETTINGS = """
INSTALLED_APPS = ["turbo_orm", "shop"]
DATABASES = {databases!r}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
"""
# Each way in which a class of ours gets into a migration.
MODELS = """
from django.db import models
from turbo_orm import AsyncManager, AsyncModel, AsyncModelMixin, AsyncQuerySet


class Books(AsyncQuerySet):
    def of(self, year):
        return self.filter(year=year)


class Shelf(AsyncManager.from_queryset(Books)):
    use_in_migrations = True


class Dated(AsyncModel):
    year = models.IntegerField()

    class Meta:
        abstract = True


class Author(AsyncModelMixin, models.Model):
    name = models.CharField(max_length=100)
    objects = AsyncManager()


class Publisher(AsyncModel):
    name = models.CharField(max_length=100)
    objects = AsyncManager()
    objects.use_in_migrations = True


class Reader(AsyncModel):
    name = models.CharField(max_length=100)
    objects = AsyncQuerySet.as_manager()


class Book(Dated):
    title = models.CharField(max_length=100)
    author = models.ForeignKey(Author, models.CASCADE)
    objects = Shelf()
    plain = Books.as_manager()
"""
USE = """
import asyncio, django
from django.core.management import call_command

django.setup()
from shop.models import Author, Book

async def use():
    author = await Author.objects.acreate(name="Ada")
    await Book.objects.acreate(year=1843, title="Notes", author=author)
    print([book.title for book in await Book.objects.of(1843).alist()])

call_command("migrate", verbosity=0)
call_command("makemigrations", check_changes=True)
asyncio.run(use())
call_command("migrate", "shop", "zero", no_color=True)
"""
PUBLIC = {"turbo_orm.models.AsyncManager", "turbo_orm.models.AsyncModelMixin"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The migration that makemigrations writes for the models, which needs no database."""
    folder = tmp_path_factory.mktemp("written")
    project(folder)
    run(folder, "-m", "django", "makemigrations", DJANGO_SETTINGS_MODULE="settings")
    return (folder / "shop" / "migrations" / "0001_initial.py").read_text()


def project(folder, **databases):
    (folder / "shop" / "migrations").mkdir(parents=True)
    (folder / "settings.py").write_text(SETTINGS.format(databases=databases))
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "migrations" / "__init__.py").touch()
    (folder / "shop" / "models.py").write_text(MODELS)


def paths(migration):
    return set(re.findall(r"turbo_orm[\w.]*\.Async\w+", migration))


def as_now(migration):
    """Return the migration as it is; django-turbo-orm 0.2.0 named its one base class so, too."""
    return migration


def as_before(migration):
    """Return the migration as versions before ``turbo_orm.models`` wrote it."""
    homes = {"AsyncManager": "manager", "AsyncModelMixin": "model"}
    imports = "".join(f"import turbo_orm.query.{home}\n" for home in homes.values())
    migration = migration.replace("import turbo_orm.models\n", imports)
    for name, home in homes.items():
        migration = migration.replace(f"turbo_orm.models.{name}", f"turbo_orm.query.{home}.{name}")
    return migration


def test_a_manager_made_of_a_queryset_is_deconstructed_by_a_public_path():
    # Such a manager is another one at each sight, in plain Django too: with `use_in_migrations`
    # each makemigrations finds a change, so the project above has none.
    made_as_manager, _, queryset, *_ = AsyncQuerySet.as_manager().deconstruct()

    assert (made_as_manager, queryset) == (True, "turbo_orm.models.AsyncQuerySet")


def test_migrations_name_public_paths(written):
    assert paths(written) == PUBLIC
    assert set(re.findall(r"^import (turbo_orm.*)$", written, re.MULTILINE)) == {"turbo_orm.models"}


@pytest.mark.parametrize("by", [as_now, as_before])
def test_migrations_run_and_leave_nothing_to_migrate(written, tmp_path, by):
    migration = by(written)
    with database(f"turbo_migrations_{os.getpid()}") as coordinates:
        project(tmp_path, default=coordinates)
        (tmp_path / "shop" / "migrations" / "0001_initial.py").write_text(migration)
        printed = run(tmp_path, "-c", USE, DJANGO_SETTINGS_MODULE="settings").splitlines()

    assert printed[:2] == ["No changes detected", "['Notes']"]
    assert printed[-1] == "  Unapplying shop.0001_initial... OK"
    assert (paths(migration) == PUBLIC) is (by is as_now)
