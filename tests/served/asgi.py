"""The served application."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.served.settings")

from tests.served import counters  # isort: skip
from turbo_orm.asgi import get_asgi_application

application = get_asgi_application()

counters.start_counting()
