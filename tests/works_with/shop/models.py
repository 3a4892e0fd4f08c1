"""What users of the project write: each model belongs to one package."""

import crum
import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django_currentuser.db.models import CurrentUserField
from django_multitenant.mixins import TenantModelMixin
from django_multitenant.models import TenantManager
from mptt.models import MPTTModel, TreeForeignKey


class Tenant(TenantModelMixin, models.Model):
    name = models.CharField(max_length=50)
    objects = TenantManager()

    class TenantMeta:
        tenant_field_name = "id"


class Customer(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    tenant = models.ForeignKey(Tenant, models.CASCADE)


class Parcel(TenantModelMixin, models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE)
    text = models.CharField(max_length=50)
    objects = TenantManager()

    class TenantMeta:
        tenant_field_name = "tenant_id"


class Note(models.Model):
    """Stamped by crum, in a receiver."""

    text = models.CharField(max_length=50)
    author = models.CharField(max_length=50, default="")


@receiver(pre_save, sender=Note)
def stamp(sender, instance, **kwargs):
    instance.author = str(crum.get_current_user())


class Order(models.Model):
    """Stamped by django-currentuser, in a field."""

    text = models.CharField(max_length=50)
    owner = CurrentUserField()


@pghistory.track()
class Price(models.Model):
    text = models.CharField(max_length=50)


@pgtrigger.register(
    pgtrigger.Protect(name="protect_deletes", operation=pgtrigger.Delete),
    pgtrigger.Protect(name="protect_updates", operation=pgtrigger.Update),
)
class Contract(models.Model):
    text = models.CharField(max_length=50)


class Category(MPTTModel):
    name = models.CharField(max_length=50)
    parent = TreeForeignKey("self", models.CASCADE, null=True, related_name="children")


class Item(models.Model):
    """Kept in cacheops' cache."""

    text = models.CharField(max_length=50)
