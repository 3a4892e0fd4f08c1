"""Authors, articles and what is written during a run; which manager is used is a peer's choice."""

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


class Label(models.Model):
    """Says what articles are about."""

    name = models.CharField(max_length=50, unique=True)

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
    labels = models.ManyToManyField(Label)

    objects = Manager()

    def __str__(self) -> str:
        return self.title


class Note(models.Model):
    """Is created during a run."""

    title = models.CharField(max_length=100, unique=True)
    views = models.IntegerField()

    objects = Manager()

    def __str__(self) -> str:
        return self.title


class Draft(models.Model):
    """Is deleted during a run."""

    title = models.CharField(max_length=100)

    objects = Manager()

    def __str__(self) -> str:
        return self.title


class World(models.Model):
    """Is updated during a run; TechEmpower's benchmarks have such a table."""

    randomnumber = models.IntegerField()

    objects = Manager()

    def __str__(self) -> str:
        return f"{self.pk}: {self.randomnumber}"


class Fortune(models.Model):
    """Is shown on a page; TechEmpower's benchmarks have such a table too."""

    message = models.CharField(max_length=2048)

    objects = Manager()

    def __str__(self) -> str:
        return self.message


class Nap(models.Model):
    """A view whose one row takes its time, so that every ORM can wait for it in its own way."""

    slept = models.TextField()

    objects = Manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return self.slept
