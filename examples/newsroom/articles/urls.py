"""The articles' addresses."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("", views.front_page, name="front"),
    path("articles/", views.ArticlesView.as_view(), name="articles"),
    path("articles/<slug:slug>/", views.ArticleView.as_view(), name="article"),
    path("stats/", views.StatsView.as_view(), name="stats"),
]
