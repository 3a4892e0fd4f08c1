"""The ASGI application: nothing between the socket and the database leaves the event loop."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

from turbo_orm.asgi import get_asgi_application

# The admin's style sheets come from here too, so that one process is the whole example.
application = ASGIStaticFilesHandler(get_asgi_application())
