"""The sessions that the server has of this process's test databases."""

import gc
from typing import Any

from django.db import connections

from tests.straight import NAME, connect
from tests.waiting import until_now

OURS = (
    "SELECT pid, application_name, state, query, clock_timestamp() - backend_start "
    # A session that is just beginning has no database yet.
    "FROM pg_stat_activity WHERE coalesce(datname, current_database()) = current_database() "
    "AND pid <> pg_backend_pid() "
    f"AND backend_type = 'client backend' AND application_name <> '{NAME}'"
)


def until_gone(alias: str) -> None:
    """Wait until nobody has a session of an alias's database, nor this thread."""
    connections[alias].close()
    with connect(alias) as connection:

        def others() -> list[Any]:
            # What was cancelled while it connected may be part of a cycle.
            gc.collect()
            return connection.execute(OURS).fetchall()

        until_now(lambda: not others(), told=others)
