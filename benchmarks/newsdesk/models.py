"""Authors and articles; which manager reads them is each peer's own choice."""

from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string

# "Manager" means something else in each of Django, Turbo ORM and the package published before it.
Manager = import_string(settings.BENCHMARK_MANAGER)


class Author(models.Model):
    """Writes articles."""

    name = models.CharField(max_length=100, unique=True)

    objects = Manager()

    def __str__(self) -> str:
        return self.name


class Article(models.Model):
    """Has plain columns only: one peer has no converters for others."""

    title = models.CharField(max_length=200)
    is_published = models.BooleanField()
    views = models.IntegerField()
    created = models.DateTimeField()
    author = models.ForeignKey(Author, models.CASCADE)

    objects = Manager()

    def __str__(self) -> str:
        return self.title
