"""The same tests of the example project as TestCase and as TransactionTestCase: which is faster.

The first roll back one transaction; the second commit, and empty every table after each test.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import statistics
import sys
import time
import unittest
from pathlib import Path
from typing import Any

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples" / "newsroom"))
os.environ["DJANGO_SETTINGS_MODULE"] = "newsroom.settings"
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.test.utils import (  # noqa: E402
    setup_databases,
    setup_test_environment,
    teardown_databases,
    teardown_test_environment,
)

from articles.models import Article, Author, Tag  # noqa: E402
from turbo_orm import atomic, run_sync  # noqa: E402
from turbo_orm.test import TestCase, TransactionTestCase  # noqa: E402

GOAL = 5.0
ROWS = 10


def fill(case: Any) -> None:
    """Make the rows that every test begins with."""
    case.author = Author.objects.create(name="Ada")
    case.tag = Tag.objects.create(name="news")
    case.user = User.objects.create(username="ada", is_staff=True, is_superuser=True)
    for number in range(ROWS):
        article = Article.objects.create(title=f"Article {number}", author=case.author)
        article.tags.add(case.tag)


class Tests:
    """What both kinds of test case are asked."""

    async def test_count(self) -> None:
        self.assertEqual(await Article.objects.acount(), ROWS)

    async def test_list(self) -> None:
        found = await Article.objects.select_related("author").prefetch_related("tags").alist()
        self.assertEqual({article.author.name for article in found}, {"Ada"})

    async def test_create(self) -> None:
        await Article.objects.acreate(title="one more", author=self.author)
        self.assertEqual(await Article.objects.acount(), ROWS + 1)

    async def test_delete(self) -> None:
        await self.author.adelete()
        self.assertEqual(await Article.objects.acount(), 0)

    async def test_update(self) -> None:
        self.assertEqual(await Article.objects.aupdate(body="rewritten"), ROWS)

    async def test_block(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            async with atomic():
                await Article.objects.acreate(title="never", author=self.author)
                1 / 0  # noqa: B018
        self.assertEqual(await Article.objects.acount(), ROWS)

    async def test_tasks(self) -> None:
        counts = await asyncio.gather(*(Article.objects.acount() for _ in range(5)))
        self.assertEqual(counts, [ROWS] * 5)

    async def test_page(self) -> None:
        response = await self.async_client.get("/articles/")
        self.assertEqual(len(response.json()["articles"]), ROWS)

    async def test_logged_in(self) -> None:
        await run_sync(self.async_client.force_login, self.user)
        self.assertContains(await self.async_client.get("/admin/articles/tag/"), "news")

    def test_synchronous(self) -> None:
        self.assertEqual(Article.objects.filter(tags__name="news").count(), ROWS)


class RolledBack(Tests, TestCase):
    """Each test in one transaction."""

    @classmethod
    def setUpTestData(cls) -> None:
        fill(cls)


class Emptied(Tests, TransactionTestCase):
    """Each test in tables that are emptied afterwards."""

    def setUp(self) -> None:
        fill(self)


def seconds(case: type[unittest.TestCase], classes: int) -> tuple[float, int]:
    """Return how long the tests of several such classes take, and how many there are."""
    suite = unittest.TestSuite()
    for number in range(classes):
        made = type(f"{case.__name__}{number}", (case,), {})
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(made))
    began = time.perf_counter()
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    taken = time.perf_counter() - began
    if not result.wasSuccessful():
        raise SystemExit("\n".join(text for _, text in result.errors + result.failures))
    return taken, result.testsRun


def compare(options: argparse.Namespace) -> None:
    """Run both kinds in turn; print the medians."""
    taken: dict[str, list[float]] = {"TestCase": [], "TransactionTestCase": []}
    count = 0
    for _ in range(options.rounds):
        for name, case in (("TestCase", RolledBack), ("TransactionTestCase", Emptied)):
            spent, count = seconds(case, options.classes)
            taken[name].append(spent)
    print(f"{count} tests, median of {options.rounds} rounds")
    for name, values in taken.items():
        print(f"  {name:20} {statistics.median(values):7.3f} s")
    ratios = [b / a for a, b in zip(*taken.values(), strict=True)]
    ratio = statistics.median(ratios)
    print(f"  times as fast        {ratio:7.1f}    (goal: {GOAL:g})")


def main() -> None:
    """Read the options, make a database, compare, drop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--classes", type=int, default=3, help="of ten tests each")
    options = parser.parse_args()
    setup_test_environment()
    created = setup_databases(verbosity=0, interactive=False)
    try:
        compare(options)
    finally:
        teardown_databases(created, verbosity=0)
        teardown_test_environment()


if __name__ == "__main__":
    main()
