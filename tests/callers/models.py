"""A row, with the manager of the flavour."""

from django.conf import settings
from django.db import models

from . import OURS

if settings.FLAVOUR == OURS:
    from turbo_orm import AsyncManager as Manager
else:
    from django.db.models import Manager


class Row(models.Model):
    """A name that may occur once."""

    name = models.CharField(max_length=50, unique=True)

    objects = Manager()

    class Meta:
        db_table = "callers_row"
        managed = False


class Deep(Row):
    """A row in two tables, so that saving it opens a block."""

    more = models.CharField(max_length=50, default="")

    class Meta:
        db_table = "callers_deep"
        managed = False
