"""adrf, with its own names of the actions."""

from adrf import serializers
from adrf.viewsets import ModelViewSet

from .api import urls_on

urlpatterns = urls_on(serializers, ModelViewSet, prefix="a")
