"""The application of the project that both servers serve."""

from django.apps import AppConfig


class ServingConfig(AppConfig):
    name = "tests.serving"
    label = "serving"
    default_auto_field = "django.db.models.BigAutoField"
