"""One server: gunicorn, one process with a thread for each connection of its pool."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

from .worker import BACKLOG, application, listen, parse


class Gunicorn(BaseApplication):
    """gunicorn with its options given here, and an application that its worker makes."""

    def __init__(self, options: Any, settings: dict[str, Any]) -> None:
        self.options = options
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Take the options."""
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the application: in the worker, so that no connection is from before the fork."""
        return application(self.options)


def main() -> None:
    """Listen, print the port, serve until a signal says to stop."""
    options = parse()
    listening = listen()
    settings = {
        "bind": f"fd://{listening.fileno()}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": options.connections,
        "backlog": BACKLOG,
        # wrk never closes its connections; the default is for browsers.
        "keepalive": 60,
        "timeout": 120,
        "graceful_timeout": 1,
        "loglevel": "warning",
        "preload_app": False,
    }
    Gunicorn(options, settings).run()


if __name__ == "__main__":
    main()
