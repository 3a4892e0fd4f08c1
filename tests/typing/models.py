"""Managers made in every way that there is, beside the newsroom's."""

from __future__ import annotations

from django.db import models
from typing_extensions import Self, TypeVar

from turbo_orm import AsyncManager, AsyncModel, AsyncModelMixin, AsyncQuerySet


class Shop(models.Model, AsyncModelMixin):
    name = models.CharField(max_length=50)

    objects = AsyncManager()


class BookQuerySet(AsyncQuerySet["Book"]):
    def cheap(self) -> Self:
        return self.filter(price__lt=10)

    async def acheapest(self) -> Book:
        return await self.order_by("price").aearliest()


class Book(AsyncModel):
    title = models.CharField(max_length=50)
    price = models.IntegerField()
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="books")
    owner = models.ForeignKey("auth.User", models.CASCADE, related_name="books")
    similar = models.ManyToManyField("self")

    objects = BookQuerySet.as_manager()
    everything = AsyncManager()


class ShelfManager(AsyncManager["Shelf"]):
    def get_queryset(self) -> AsyncQuerySet[Shelf]:
        return super().get_queryset().exclude(label="")

    async def alabels(self) -> list[str]:
        return await self.values_list("label", flat=True).alist()


class Shelf(AsyncModel):
    label = models.CharField(max_length=50)

    objects = ShelfManager()


P_co = TypeVar("P_co", bound="Parcel", covariant=True, default="Parcel")
R_co = TypeVar("R_co", covariant=True, default=P_co)


class ParcelQuerySet(AsyncQuerySet[P_co, R_co]):
    """Generic in its rows, so that annotations are known beside its own methods."""

    def heavy(self) -> Self:
        return self.filter(weight__gt=10)


class Parcel(AsyncModel):
    weight = models.IntegerField()
    books = models.ManyToManyField(Book)

    objects = AsyncManager.from_queryset(ParcelQuerySet)()
