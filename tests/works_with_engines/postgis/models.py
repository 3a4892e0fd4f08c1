"""Places with coordinates."""

from django.contrib.gis.db import models

from turbo_orm import AsyncManager


class Place(models.Model):
    name = models.CharField(max_length=50)
    point = models.PointField(geography=True)
    area = models.PolygonField(null=True)

    objects = models.Manager()
    awaited = AsyncManager()
