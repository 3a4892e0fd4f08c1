"""The fields that DRF derives from a model, worked out once per serializer class.

DRF looks at the model again for each serializer, which is a good part of what a request costs. Here
the first of a class is made by DRF; the others make fields of the same classes with the same
arguments, which is how DRF itself copies the fields that a class declares.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from rest_framework import validators
from rest_framework.fields import Field
from rest_framework.serializers import ModelSerializer
from rest_framework.settings import api_settings

from .names import check, has_recipes

RECIPE = "_turbo_orm_drf_recipe"
# Where a project has its own of these, fields may depend on anything.
DERIVING = (
    *("_get_model_fields", "build_field", "build_nested_field", "build_property_field"),
    *("build_relational_field", "build_standard_field", "build_unknown_field", "build_url_field"),
    *("get_default_field_names", "get_extra_kwargs", "get_field_names"),
    *("get_uniqueness_extra_kwargs", "include_extra_kwargs"),
)
OF_DRF = {name: getattr(ModelSerializer, name, None) for name in DERIVING}
# DRF makes these anew for each field: code may set their attributes.
OF_ONE_FIELD = (validators.UniqueValidator, validators.UniqueTogetherValidator)
# Without "turbo_orm_drf" in INSTALLED_APPS nobody has done that yet, and a request must not: it
# reads files.
check()

OPTIONS = ("model", "depth", "exclude", "extra_kwargs", "fields", "read_only_fields")

Fields = dict[str, Any]


class Recipe:
    """What the fields of one serializer class are made of."""

    __slots__ = ("declared", "made", "options", "url_field_name")

    def __init__(self, serializer: Any, made: Fields, options: Any) -> None:
        self.declared = serializer._declared_fields
        self.made = made
        self.options = options
        self.url_field_name = serializer.url_field_name

    def fields(self, serializer: Any) -> Fields:
        """Return fields for one more serializer of the class."""
        serializer.url_field_name = self.url_field_name
        return {
            name: copy.deepcopy(self.declared[name]) if name in self.declared else _another(field)
            for name, field in self.made.items()
        }


def fields_of(serializer: Any, derive: Callable[[], Fields]) -> Fields:
    """Return the fields of a model serializer.

    Args:
        serializer: the serializer.
        derive: DRF's ``get_fields``, bound to it.

    Mirrors ``ModelSerializer.get_fields``.
    """
    kind = type(serializer)
    recipe = vars(kind).get(RECIPE, False)
    if recipe is None or not has_recipes():
        return derive()
    options = _options(serializer)
    if recipe and recipe.options == options and recipe.declared is serializer._declared_fields:
        known: Recipe = recipe
        return known.fields(serializer)
    made = derive()
    if any(getattr(kind, name) is not of_drf for name, of_drf in OF_DRF.items()):
        setattr(kind, RECIPE, None)
        return made
    recipe = Recipe(serializer, made, options)
    setattr(kind, RECIPE, recipe)
    return recipe.fields(serializer)


def _options(serializer: Any) -> Any:
    """Return what ``Meta`` says now: code may change it between two requests."""
    meta = getattr(serializer, "Meta", None)
    said = (copy.copy(getattr(meta, name, None)) for name in OPTIONS)
    return (*said, serializer.url_field_name or api_settings.URL_FIELD_NAME)


def _another(field: Any) -> Any:
    """Return a field of the same class that was made with the same arguments."""
    arguments = {name: _own(value) for name, value in field._kwargs.items()}
    return type(field)(*field._args, **arguments)


def _own(value: Any) -> Any:
    if isinstance(value, Field):
        return _another(value)
    if type(value) is dict:
        return dict(value)
    if type(value) is list:
        return [copy.copy(one) if isinstance(one, OF_ONE_FIELD) else one for one in value]
    return value
