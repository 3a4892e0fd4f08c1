"""Fill an empty newsroom: `manage.py seed --articles 3000`."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from articles.models import Article
from articles.seeding import Seeder


class Command(BaseCommand):
    """Write a few thousand made-up articles, unless there are some already."""

    help = "Fill an empty newsroom with made-up articles; leave one that has articles alone."

    def add_arguments(self, parser: CommandParser) -> None:
        """Let the caller say how many."""
        parser.add_argument("--articles", type=int, default=3000, help="how many (default: 3000)")

    def handle(self, *args: Any, articles: int, **options: Any) -> None:
        """Seed, with a progress line and a summary."""
        if existing := Article.objects.count():
            self.stdout.write(f"  the newsroom has {existing} articles already: nothing to seed")
            return
        started = time.perf_counter()
        written = Seeder(articles, self.progress).run()
        rows = ", ".join(f"{count} {table}" for table, count in written.items())
        self.stdout.write(f"  {rows} in {time.perf_counter() - started:.1f} s")

    def progress(self, what: str, done: int, total: int) -> None:
        """Redraw one line on a terminal; elsewhere write a line now and then."""
        terminal = self.stdout.isatty()
        if terminal or done == total or done % 1000 == 0:
            ending = "\r" if terminal and done < total else "\n"
            self.stdout.write(f"  {what}: {done} of {total}", ending=ending)
            self.stdout.flush()
