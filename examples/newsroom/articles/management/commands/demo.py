"""Give the guided tour: `manage.py demo`. It fails if any step is not what it must be."""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from typing import Any

import django
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from articles.preparation import prepare
from articles.tour import drf, graphql, ninja, orm, pages, quickstart, transactions
from articles.tour.pool import pool_line
from articles.tour.report import Report, Step, Surprise
from articles.tour.server import hundred_requests
from turbo_orm import close_pools


class Command(BaseCommand):
    """Migrate, seed, and show what Turbo ORM does."""

    help = "Show Turbo ORM at work on this project's database, checking every result."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Let the caller choose the size."""
        parser.add_argument("--articles", type=int, default=3000, help="rows to seed (3000)")

    def handle(self, *args: Any, articles: int, **options: Any) -> None:
        """Run the tour and say how long it took."""
        started = time.perf_counter()
        report = Report(sys.stdout)
        self.introduce(report)
        with report.timed("Database ready") as finish:
            prepare(self.stdout, articles)
            finish("migrated and seeded, synchronously")
        connection.close()
        try:
            asyncio.run(tour(report))
        except Surprise as surprise:
            raise CommandError(f"the demo failed: {surprise}") from surprise
        except KeyboardInterrupt:
            raise CommandError("the demo was interrupted", returncode=130) from None
        seconds = time.perf_counter() - started
        self.stdout.write(f"\n{report.steps} steps, all as they must be, in {seconds:.1f} s")

    def introduce(self, report: Report) -> None:
        """Say what runs on what."""
        versions = f"Python {sys.version.split()[0]}, Django {django.get_version()}"
        report.heading(f"Turbo ORM: {versions}, {connection.settings_dict['ENGINE']}")


async def tour(report: Report) -> None:
    """Walk through every part, and close the pools whatever happens."""
    try:
        for heading, steps in parts(report).items():
            report.heading(heading)
            await report.run(steps)
    finally:
        await close_pools()


def parts(report: Report) -> dict[str, list[Step]]:
    """Return the steps under their headings."""
    return {
        "The quickstart": quickstart.STEPS,
        "The ORM, awaited": orm.STEPS,
        "Transactions and concurrency": transactions.STEPS,
        "Whole requests, without a thread": pages.STEPS,
        "Django Ninja, without a thread": ninja.STEPS,
        "Django REST framework, without a thread": drf.STEPS,
        "GraphQL by strawberry-django, without a thread": graphql.STEPS,
        "Served by uvicorn": [
            Step("The pool so far", pool_line),
            Step("100 concurrent HTTP requests", partial(hundred_requests, report.note)),
        ],
    }
