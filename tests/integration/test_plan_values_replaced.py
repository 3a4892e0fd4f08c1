"""An insert stores what replaced methods of its fields make of the values, whenever they came."""

import pytest
from django.db.models import CharField, Field, QuerySet

from tests.plans import plans_off
from tests.testapp.models import Tag
from turbo_orm import clear_plans, plan_stats, portal


def stripped(original):
    def replacement(self, value, *args, **kwargs):
        value = original(self, value, *args, **kwargs)
        return value.strip("-") if isinstance(value, str) else value

    return replacement


async def stored(rows):
    """Insert in three ways, and return what the database has."""
    await rows.acreate(name="-created-")
    tag = rows.model(name="-saved-")
    await tag.asave()
    await rows.abulk_create([rows.model(name=f"-{number}-") for number in range(2)])
    found = [name async for name in rows.order_by("pk").values_list("name", flat=True)]
    await rows.all().adelete()
    return found


REPLACED = [
    (CharField, "get_prep_value"),
    (CharField, "to_python"),
    (Field, "get_prep_value"),
    (Field, "get_db_prep_value"),
    (Field, "get_db_prep_save"),
]


@pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
@pytest.mark.parametrize(("kind", "name"), REPLACED)
async def test_a_replaced_method_of_a_field_makes_the_values(kind, name, late, monkeypatch):
    clear_plans()
    for _ in range(2 * late):
        assert "-created-" in await stored(Tag.objects)
    monkeypatch.setattr(kind, name, stripped(getattr(kind, name)))
    with plans_off():
        expected = await portal(stored(QuerySet(Tag)))
    assert "created" in expected
    for _ in range(3):
        assert await stored(Tag.objects) == expected


async def test_a_method_put_on_a_field_makes_the_values(monkeypatch):
    field = Tag._meta.get_field("name")
    clear_plans()
    await stored(Tag.objects)
    with monkeypatch.context() as patched:
        patched.setattr(field, "get_prep_value", lambda value: f"{value}!", raising=False)
        assert (await stored(Tag.objects))[:2] == ["-created-!", "-saved-!"]
    before = plan_stats().hits
    assert "-created-" in await stored(Tag.objects)
    assert plan_stats().hits > before
