import django
from django.contrib.auth.models import User
from django.db import models

from turbo_orm import AsyncManager, AsyncModel


class Currency(AsyncModel):
    """Its rows come with the migrations."""

    code = models.CharField(max_length=3, unique=True)

    objects = AsyncManager()

    def __str__(self) -> str:
        return self.code


POSITIVE = {"check" if django.VERSION < (5, 1) else "condition": models.Q(balance__gte=0)}


class Account(AsyncModel):
    owner = models.CharField(max_length=50, unique=True)
    balance = models.IntegerField(default=0)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True)

    objects = AsyncManager()

    class Meta:
        ordering = ["owner"]
        constraints = [models.CheckConstraint(name="balance_not_negative", **POSITIVE)]

    def __str__(self) -> str:
        return self.owner


class Entry(AsyncModel):
    account = models.ForeignKey(Account, models.CASCADE, related_name="entries")
    amount = models.IntegerField()

    objects = AsyncManager()


class Plain(models.Model):
    """Has Django's own manager."""

    name = models.CharField(max_length=50)
