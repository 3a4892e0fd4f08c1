"""Something to count statements about."""

from django.db import models

from turbo_orm import AsyncManager


class Item(models.Model):
    name = models.CharField(max_length=50)

    objects = AsyncManager()
