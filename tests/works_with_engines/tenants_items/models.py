"""A table that each tenant has one of."""

from django.db import models

from turbo_orm import AsyncManager


class Item(models.Model):
    owner = models.CharField(max_length=50)
    number = models.IntegerField()

    objects = models.Manager()
    awaited = AsyncManager()
