"""What the child of a fork does with the connections of its parent."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import AsyncConnection

from .connection import PooledConnection


def cut_off(connections: Iterable[AsyncConnection[Any]]) -> None:
    """Separate this process from sessions whose sockets it shares with its parent.

    A loop that forks still takes a step in the child, in its copy of the parent's tasks: one that
    read there would take an answer from the parent, and one that wrote would leave the parent an
    answer too many, for its next statement. They find the line dead instead.

    Args:
        connections: all that the process had before it was forked.
    """
    dead, other_end = socket.socketpair()
    other_end.close()
    with dead:
        for connection in connections:
            if isinstance(connection, PooledConnection):
                connection.forget_watch()
            with contextlib.suppress(psycopg.OperationalError):
                # It is closed already.
                os.dup2(dead.fileno(), connection.pgconn.socket, inheritable=False)
