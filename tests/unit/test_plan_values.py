"""Ordinary values of ordinary fields become the parameters that Django would make of them."""

from types import SimpleNamespace

import pytest
from django.db import connection, models
from django.utils.functional import lazystr

from tests.testapp.models import Article, CaseInsensitiveField, Colour
from turbo_orm.plan.bind import comparable
from turbo_orm.plan.values import plain_fields


class Upper(models.CharField):
    def get_prep_value(self, value):
        return super().get_prep_value(value).upper()


class Trimmed(models.TextField):
    def to_python(self, value):
        return super().to_python(value).strip()


class Doubled(models.IntegerField):
    def get_db_prep_save(self, value, connection):
        return super().get_db_prep_save(value * 2, connection)


class Counted(models.IntegerField):
    def pre_save(self, model_instance, add):
        return 7


class Odd(models.IntegerField):
    def get_internal_type(self):
        return "Odd"


def named(field):
    field.set_attributes_from_name("field")
    return field


def plain(field):
    return plain_fields([named(field)], connection)


def column(field, *values):
    (each,) = plain(field)
    return each.column([SimpleNamespace(field=value) for value in values])


def as_django(field, *values):
    return [named(field).get_db_prep_save(value, connection) for value in values]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (models.CharField(), ["", "a", None]),
        (models.SlugField(), ["a"]),
        (models.EmailField(), ["a@b.c"]),
        (models.TextField(), ["a" * 1000, None]),
        (CaseInsensitiveField(), ["A"]),
        (models.BooleanField(), [True, False, None]),
        (models.IntegerField(), [0, -1, 2**31]),
        (models.SmallIntegerField(), [1]),
        (models.BigIntegerField(), [2**40]),
        (models.PositiveIntegerField(), [-1]),
    ],
)
def test_ordinary_values_become_djangos_parameters(field, values):
    assert comparable(column(field, *values)) == comparable(as_django(field, *values))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.CharField(), 5),
        (models.CharField(), Colour.RED),
        (models.CharField(), lazystr("a")),
        (models.CharField(), models.Value("a")),
        (models.BooleanField(), "t"),
        (models.IntegerField(), "5"),
        (models.IntegerField(), True),
        (models.IntegerField(), None),
        (models.IntegerField(), 5.7),
    ],
)
def test_django_is_asked_about_any_other_value(field, value):
    ordinary = {"CharField": "a", "BooleanField": True, "IntegerField": 1}
    assert column(field, ordinary[field.get_internal_type()], value) is None


@pytest.mark.parametrize(
    "field",
    [
        Upper(),
        Trimmed(),
        Doubled(),
        Counted(),
        Odd(),
        models.DateField(auto_now=True),
        models.DecimalField(),
        models.JSONField(),
        models.BigAutoField(primary_key=True),
        Article._meta.get_field("author"),
    ],
    ids=lambda field: type(field).__name__,
)
def test_fields_with_a_way_of_their_own_are_djangos(field):
    if field.name is None:
        named(field)
    assert plain_fields([named(models.CharField()), field], connection) is None
