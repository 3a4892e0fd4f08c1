"""Turbo ORM's adapter; what the list fetches follows from its serializer."""

from turbo_orm_drf import serializers
from turbo_orm_drf.mixins import AutoOptimizeMixin
from turbo_orm_drf.viewsets import ModelViewSet

from .api import urls_on

urlpatterns = urls_on(serializers, ModelViewSet, (AutoOptimizeMixin,))
