"""The newsroom's addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from articles.graphql_api.schema import view as graphql_view
from articles.ninja_api.api import api as ninja_api

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/drf/", include("articles.drf_api.urls")),
    path("api/ninja/", ninja_api.urls),
    path("graphql/", graphql_view),
    path("", include("articles.urls")),
]
