"""A model of psqlextra's."""

from django.db import models
from psqlextra.fields import HStoreField
from psqlextra.models import PostgresModel


class Item(PostgresModel):
    name = models.CharField(max_length=50, unique=True)
    words = HStoreField(default=dict)
    number = models.IntegerField(default=0)
