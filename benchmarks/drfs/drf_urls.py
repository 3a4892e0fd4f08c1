"""Stock DRF, whose views Django runs in threads."""

from rest_framework import serializers
from rest_framework.viewsets import ModelViewSet

from .api import urls_on

urlpatterns = urls_on(serializers, ModelViewSet)
