"""Serve the newsroom until it is interrupted: `manage.py serve --port 8000`."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from articles.models import Article
from articles.preparation import demo_user, prepare


def stop(number: int, frame: FrameType | None) -> NoReturn:
    """End with success: a server that runs until it is stopped has not failed.

    Uvicorn finishes its requests first, puts this handler back and raises the signal again:
    https://github.com/encode/uvicorn/pull/1600.
    """
    raise SystemExit(0)


class Command(BaseCommand):
    """Migrate, seed, print the addresses and serve."""

    help = "Serve the newsroom under uvicorn, on the loopback address."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Let the caller choose port and size."""
        parser.add_argument("--port", type=int, default=8000, help="port to serve at (8000)")
        parser.add_argument("--articles", type=int, default=3000, help="rows to seed (3000)")

    def handle(self, *args: Any, port: int, articles: int, **options: Any) -> None:
        """Prepare the database, then hand over to uvicorn."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        prepare(self.stdout, articles)
        self.addresses(f"http://127.0.0.1:{port}")
        # Uvicorn's loop opens connections of its own; this one is not needed any more.
        connection.close()
        uvicorn.run("newsroom.asgi:application", port=port, lifespan="on", access_log=False)

    def addresses(self, base: str) -> None:
        """Print what there is to see."""
        user, password = demo_user()
        slug = Article.objects.published().values_list("slug", flat=True)[0]
        for what, where in {
            "front page": "/",
            "list": "/articles/",
            "one tag": "/articles/?tag=science",
            "detail": f"/articles/{slug}/",
            "statistics": "/stats/",
            "API (DRF)": "/api/drf/",
            "API (Ninja)": "/api/ninja/docs",
            "GraphQL": "/graphql/",
            "admin": f"/admin/  (user {user}, password {password})",
        }.items():
            self.stdout.write(f"  {what:<12}{base}{where}")
        self.stdout.write("  Stop with Ctrl-C.")
