"""One server: uvicorn, one process, on a port of its own choice that it prints."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable, Collection
from typing import Any

import uvicorn

from .systems import SYSTEMS, application

BACKLOG = 2048


def main(make: Callable[..., Any] = application, systems: Collection[str] = tuple(SYSTEMS)) -> None:
    """Listen, print the port, serve until a signal says to stop.

    Args:
        make: sets Django up and returns the application of a system.
        systems: their names.
    """
    options = parse(systems)
    served = make(
        options.system,
        options.conninfo,
        middleware=options.middleware,
        connections=options.connections,
    )
    config = uvicorn.Config(
        served, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    with listen() as listening:
        uvicorn.Server(config).run(sockets=[listening])


def parse(systems: Collection[str]) -> argparse.Namespace:
    """Read what is to be served."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=systems)
    parser.add_argument("conninfo")
    parser.add_argument("--middleware", action="store_true")
    parser.add_argument("--connections", type=int, required=True)
    return parser.parse_args()


def listen() -> socket.socket:
    """Take a port and print it: no other process can have it, and requests wait for the server."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    print(listening.getsockname()[1], flush=True)
    return listening


if __name__ == "__main__":
    main()
