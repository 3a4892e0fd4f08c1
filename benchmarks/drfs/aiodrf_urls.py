"""aiodrf, as it is by default."""

from aiodrf import serializers
from aiodrf.viewsets import ModelViewSet

from .api import urls_on

urlpatterns = urls_on(serializers, ModelViewSet)
