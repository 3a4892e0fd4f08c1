"""Tags for the articles of the newsdesk, and how they are put there."""

from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models
from django.utils.module_loading import import_string

from benchmarks.cases import ARTICLES

from .answers import TAGS, tags_of

Manager = import_string(settings.BENCHMARK_MANAGER)


class Tag(models.Model):
    """Stands on articles."""

    name = models.CharField(max_length=50)
    articles = models.ManyToManyField("newsdesk.Article", related_name="tags")

    objects = Manager()

    def __str__(self) -> str:
        return self.name


def fill() -> None:
    """Put three tags, mostly, on each article, and let the next one have a key that is free."""
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
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Tag]):
            cursor.execute(statement)
