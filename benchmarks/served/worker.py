"""One server: uvicorn, one process, on a port of its own choice that it prints."""

from __future__ import annotations

import argparse
import importlib
import socket
from typing import Any

import uvicorn

BACKLOG = 2048


def main() -> None:
    """Listen, print the port, serve until a signal says to stop."""
    served = application(parse())
    config = uvicorn.Config(
        served, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    with listen() as listening:
        uvicorn.Server(config).run(sockets=[listening])


def parse() -> argparse.Namespace:
    """Read what is to be served."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", help="the module whose application() is called")
    parser.add_argument("system")
    parser.add_argument("conninfo")
    parser.add_argument("--middleware", action="store_true")
    parser.add_argument("--connections", type=int, required=True)
    return parser.parse_args()


def application(options: argparse.Namespace) -> Any:
    """Have the project make the application of a system; only its own process does so."""
    project = importlib.import_module(options.project)
    return project.application(
        options.system,
        options.conninfo,
        middleware=options.middleware,
        connections=options.connections,
    )


def listen() -> socket.socket:
    """Take a port and print it: no other process can have it, and requests wait for the server."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    print(listening.getsockname()[1], flush=True)
    return listening


if __name__ == "__main__":
    main()
