"""Settings for the plugin of django-stubs: the newsroom's, and the models of this folder."""

from newsroom import settings
from newsroom.settings import *  # noqa: F403

INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.typing"]
