"""Both APIs, under two prefixes."""

from django.urls import path

from tests.ninja import ours, stock

urlpatterns = [path("stock/", stock.api.urls), path("ours/", ours.api.urls)]
