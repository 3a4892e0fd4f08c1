"""One request, answered by a view of stock DRF's and by the same view of ours, in one process."""

import json
from typing import Any

from django.db import models, transaction
from django.test import override_settings
from rest_framework import generics as generics_of_drf
from rest_framework import serializers as serializers_of_drf
from rest_framework import viewsets as viewsets_of_drf
from rest_framework.test import APIRequestFactory

from tests.fetching import counted
from tests.testapp.models import Article, Author, Tag
from turbo_orm import await_, run_sync
from turbo_orm_drf import generics, serializers, viewsets
from turbo_orm_drf.mixins import AutoOptimizeMixin


class Flavour:
    """The modules that a project imports from, and what its views have before DRF's bases."""

    def __init__(self, serializers: Any, generics: Any, viewsets: Any, *mixins: type) -> None:
        self.serializers = serializers
        self.generics = generics
        self.viewsets = viewsets
        self.mixins = mixins


STOCK = Flavour(serializers_of_drf, generics_of_drf, viewsets_of_drf)
OURS = Flavour(serializers, generics, viewsets)
OPTIMISED = Flavour(serializers, generics, viewsets, AutoOptimizeMixin)


class Answer:
    """What a client sees, what is left in the tables, and the statements that it took."""

    def __init__(self, seen: tuple[int, str], rows: Any, statements: list[str]) -> None:
        self.seen = seen
        self.rows = rows
        self.statements = statements

    @property
    def data(self) -> Any:
        return json.loads(self.seen[1])


def request(method: str = "get", query: str = "", data: Any = None, **headers: str) -> Any:
    """Return a request for a view."""
    make = getattr(APIRequestFactory(), method)
    if method == "get":
        return make(f"/{query}", **headers)
    return make(f"/{query}", data, format="json", **headers)


async def answer(view: Any, asked: Any, *, urls: Any = None, **kwargs: Any) -> Answer:
    """Ask a view of either kind, and undo what it wrote."""

    def ask() -> Answer:
        settings = {"ALLOWED_HOSTS": ["testserver"]}
        settings |= {} if urls is None else {"ROOT_URLCONF": urls}
        with override_settings(**settings), transaction.atomic():
            with counted() as statements:
                seen = _seen(view, asked, kwargs)
            found = Answer(seen, {} if asked.method == "GET" else rows(), statements)
            transaction.set_rollback(True)
        return found

    return await run_sync(ask)


def _seen(view: Any, asked: Any, kwargs: dict[str, Any]) -> tuple[int, str]:
    try:
        with transaction.atomic():
            response = view(asked, **kwargs)
            response = await_(response) if hasattr(response, "__await__") else response
            response.render()
    except Exception as error:
        return 500, type(error).__name__
    return response.status_code, response.content.decode()


def rows() -> Any:
    """Return the tables of the tests, with ranks for the keys that sequences make."""
    known = (Article, Author, Tag, Article.tags.through)
    ranks = {model: {key: rank for rank, key in enumerate(sorted(_keys(model)))} for model in known}
    return {model.__name__: sorted(_row(one, ranks) for one in _all(model)) for model in known}


def _all(model: Any) -> Any:
    return models.QuerySet(model)


def _keys(model: Any) -> Any:
    return _all(model).values_list("pk", flat=True)


def _row(one: Any, ranks: dict[Any, dict[Any, int]]) -> str:
    found = []
    for field in one._meta.concrete_fields:
        value = getattr(one, field.attname)
        if field.primary_key or getattr(field, "auto_now_add", False):
            continue
        if field.is_relation:
            value = ranks.get(field.related_model, {}).get(value, value)
        found.append(str(value))
    return str(found)
