"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    """Articles, their authors, tags and comments."""

    name = "articles"
    default_auto_field = "django.db.models.BigAutoField"
