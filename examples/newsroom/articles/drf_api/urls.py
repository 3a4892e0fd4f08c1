"""The API's addresses, as DRF's router makes them."""

from __future__ import annotations

from django.urls import include, path

from turbo_orm_drf.routers import DefaultRouter

from . import views

router = DefaultRouter()
router.register("articles", views.ArticleViewSet)
router.register("authors", views.AuthorViewSet)
router.register("tags", views.TagViewSet)

urlpatterns = [
    path("", include(router.urls)),
    path("auth/", include("turbo_orm_drf.urls")),
]
