"""One model; its manager is Turbo ORM's if the flavour says so."""

from django.conf import settings
from django.db import models

if settings.FLAVOUR == "managers":
    from turbo_orm import AsyncManager as Manager
else:
    from django.db.models import Manager


class Account(models.Model):
    name = models.CharField(max_length=50)
    if settings.PACKAGE == "djmoney":
        from djmoney.models.fields import MoneyField
        from djmoney.models.managers import money_manager

        balance = MoneyField(max_digits=10, decimal_places=2, default_currency="EUR", default=0)
        # With Django 6.1 django-money does this by itself to a copy of the manager only.
        objects = money_manager(Manager())
    else:
        objects = Manager()
