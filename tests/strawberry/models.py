"""Models for what only GraphQL has its own way with: polymorphic ones."""

from django.db import models
from polymorphic.managers import PolymorphicManager
from polymorphic.models import PolymorphicModel

from tests.testapp.models import Author


class Project(PolymorphicModel):
    topic = models.CharField(max_length=30)
    author = models.ForeignKey(Author, models.CASCADE, related_name="projects")

    objects = PolymorphicManager()


class Artwork(Project):
    artist = models.CharField(max_length=30)


class Research(Project):
    supervisor = models.CharField(max_length=30)
