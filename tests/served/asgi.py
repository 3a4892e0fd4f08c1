"""The served application; it says what is left open when the server has stopped."""

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.served.settings")

from tests.served import counters  # isort: skip
from turbo_orm import pool_stats
from turbo_orm.asgi import get_asgi_application

django_application = get_asgi_application()
counters.start_counting()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve with Turbo ORM's handler."""

    async def watched(message: Any) -> None:
        if message["type"] == "lifespan.shutdown.complete":
            size = pool_stats("default").size
            sys.stderr.write(f"shut down with {size} connections\n")
        await send(message)

    served = scope["type"] != "lifespan"
    await django_application(scope, receive, send if served else watched)
