"""PostGIS: geometries are written, compared and read in the bridge as in plain Django."""

import asyncio

from django.contrib.gis.db.models import Union
from django.contrib.gis.db.models.functions import Distance
from django.contrib.gis.geos import Point, Polygon
from django.contrib.gis.measure import D

from turbo_orm import atomic, run_sync

from .postgis.models import Place

HERE = Point(13.4, 52.5, srid=4326)
PLACES = [("centre", 13.4, 52.5), ("near", 13.41, 52.51), ("far", 2.35, 48.85)]


def places():
    return [
        Place(name=name, point=Point(x, y, srid=4326), area=Polygon.from_bbox((x, y, x + 1, y + 1)))
        for name, x, y in PLACES
    ]


def shown(found):
    return [(each.name, each.point.wkt, each.area.wkt) for each in found]


def work():
    """Use geometries as plain Django does."""
    Place.objects.all().delete()
    first, *others = places()
    first.save()
    Place.objects.bulk_create(others)
    near = Place.objects.filter(point__dwithin=(HERE, D(km=5))).order_by("name")
    away = Place.objects.annotate(away=Distance("point", HERE)).order_by("away")
    inside = Place.objects.filter(area__contains=Point(13.5, 52.6, srid=4326)).order_by("name")
    Place.objects.filter(name="far").update(point=Point(2.36, 48.86, srid=4326))
    return [
        shown(near),
        [(place.name, round(place.away.km, 3)) for place in away],
        shown(inside),
        shown(away.iterator()),
        Place.objects.aggregate(all=Union("area"))["all"].num_geom,
        shown([Place.objects.get(name="far")]),
    ]


async def awaited():
    """The same, awaited."""
    await Place.awaited.all().adelete()
    first, *others = places()
    await first.asave()
    await Place.awaited.abulk_create(others)
    near = Place.awaited.filter(point__dwithin=(HERE, D(km=5))).order_by("name")
    away = Place.awaited.annotate(away=Distance("point", HERE)).order_by("away")
    inside = Place.awaited.filter(area__contains=Point(13.5, 52.6, srid=4326)).order_by("name")
    async with atomic():
        changed = Place.awaited.filter(name="far")
        await changed.aupdate(point=Point(2.36, 48.86, srid=4326))
    return [
        shown([place async for place in near]),
        [(place.name, round(place.away.km, 3)) async for place in away],
        shown(await inside.alist()),
        shown([place async for place in away.aiterator()]),
        (await Place.awaited.aaggregate(all=Union("area")))["all"].num_geom,
        shown([await Place.awaited.aget(name="far")]),
    ]


def test_geometries_are_the_same_in_the_bridge_and_awaited(on_loop):
    plain = work()

    assert [each[0] for each in plain[0]] == ["centre", "near"]
    assert on_loop(run_sync(work)) == plain
    assert on_loop(awaited()) == plain


def test_a_shape_is_learnt_and_used_again_for_each_of_many_tasks(on_loop):
    work()

    async def main():
        near = [
            Place.awaited.filter(point__dwithin=(HERE, D(km=5))).order_by("name").alist()
            for _ in range(40)
        ]
        return [shown(found) for found in await asyncio.gather(*near)]

    plain = shown(Place.objects.filter(point__dwithin=(HERE, D(km=5))).order_by("name"))
    assert on_loop(main()) == [plain] * 40
