"""Whether the server is still at the other end of a connection, as far as this end knows."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import psycopg
from psycopg import AsyncConnection


def is_alive(connection: AsyncConnection[Any]) -> bool:
    """Tell whether a connection is open and its server has not ended the session.

    An idle connection is not used, so libpq learns nothing of its end until the next statement.

    Args:
        connection: one that is idle or in use; nothing is taken from its socket.
    """
    if connection.closed:
        return False
    if sys.platform == "win32":
        return True
    try:
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as same:
            # As libpq has it: Python would believe that it may block.
            same.setblocking(False)
            return same.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        # There is nothing to read.
        return True
    except (OSError, psycopg.Error):
        return False
