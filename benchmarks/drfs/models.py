"""The stories that the requests write."""

from django.db import models

from benchmarks.tagged.models import Manager, Tag


class Story(models.Model):
    """What is written while the clock runs: a title of its own, an author and tags."""

    title = models.CharField(max_length=100, unique=True)
    author = models.ForeignKey("newsdesk.Author", models.CASCADE, related_name="stories")
    tags = models.ManyToManyField(Tag, related_name="stories")

    objects = Manager()

    def __str__(self) -> str:
        return self.title
