"""The ASGI application: pools open when the server starts and close when it stops."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

from turbo_orm.asgi import lifespan

# The admin's style sheets come from here too, so that one process is the whole example.
application = lifespan(ASGIStaticFilesHandler(get_asgi_application()))
