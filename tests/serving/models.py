"""Plain models: nothing of ours, so that stock Django can serve them."""

from django.db import models
from django.urls import reverse


class Writer(models.Model):
    name = models.CharField(max_length=50, unique=True)

    def __str__(self) -> str:
        return self.name


class Topic(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=0)
    writer = models.ForeignKey(Writer, models.CASCADE, related_name="books")
    topics = models.ManyToManyField(Topic, related_name="books", blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("book", args=[self.pk])
