"""Handlers that make an answer of the two errors that an ORM raises most."""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from ninja import NinjaAPI

API = TypeVar("API", bound=NinjaAPI)


def handle_missing(api: API) -> API:
    """Answer 404 where an operation raises ``DoesNotExist``, as if it had used Django's shortcut.

    Args:
        api: of Ninja or of Turbo ORM.

    Returns:
        The API.
    """

    def missing(request: HttpRequest, error: object) -> HttpResponse:
        return api.create_response(request, {"detail": "Not Found"}, status=404)

    api.add_exception_handler(ObjectDoesNotExist, missing)
    return api


def handle_conflicts(api: API) -> API:
    """Answer 409 where the database refuses what an operation writes.

    Args:
        api: of Ninja or of Turbo ORM.

    Returns:
        The API. What the database said is not part of the answer: it names tables and values.
    """

    def conflict(request: HttpRequest, error: object) -> HttpResponse:
        return api.create_response(request, {"detail": "Conflict"}, status=409)

    api.add_exception_handler(IntegrityError, conflict)
    return api
