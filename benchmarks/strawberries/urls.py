"""The URLs of each system; the settings say which it is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import path
from strawberry.django.views import AsyncGraphQLView, GraphQLView

from .schema import schema


def view() -> Any:
    """Return the view of the system."""
    if settings.BENCHMARK_SYSTEM == "sync":
        return GraphQLView.as_view(schema=schema())
    if settings.BENCHMARK_SYSTEM == "async":
        return AsyncGraphQLView.as_view(schema=schema())
    import turbo_orm_strawberry

    ours = schema(turbo_orm_strawberry.TurboExtension)
    return turbo_orm_strawberry.AsyncGraphQLView.as_view(schema=ours)


urlpatterns = [path("graphql/", view())]
