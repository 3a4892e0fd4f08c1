"""Tags for the articles of the newsdesk, and the stories that the requests write."""

from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string

from benchmarks.cases import ARTICLES

from .cases import TAGS, tags_of

Manager = import_string(settings.BENCHMARK_MANAGER)


class Tag(models.Model):
    """Stands on articles."""

    name = models.CharField(max_length=50)
    articles = models.ManyToManyField("newsdesk.Article", related_name="tags")

    objects = Manager()

    def __str__(self) -> str:
        return self.name


class Story(models.Model):
    """What is written while the clock runs: a title of its own, an author and tags."""

    title = models.CharField(max_length=100, unique=True)
    author = models.ForeignKey("newsdesk.Author", models.CASCADE, related_name="stories")
    tags = models.ManyToManyField(Tag, related_name="stories")

    objects = Manager()

    def __str__(self) -> str:
        return self.title


def fill() -> None:
    """Put three tags, mostly, on each article."""
    Tag.objects.bulk_create([Tag(pk=key, name=f"tag {key}") for key in range(1, TAGS + 1)])
    through = Tag.articles.through
    through.objects.bulk_create(
        [
            through(tag_id=tag, article_id=article)
            for article in range(1, ARTICLES + 1)
            for tag in tags_of(article)
        ],
        batch_size=10_000,
    )
