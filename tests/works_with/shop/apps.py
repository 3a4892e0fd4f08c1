"""The project's part of what packages want to be told."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "tests.works_with.shop"
    label = "shop"

    def ready(self):
        from django_multitenant import views

        # Before the package's middleware imports it from there.
        views.get_tenant = lambda request: request.user.customer.tenant
