"""What one `aget` by primary key costs, and where: ours, Django's own, a raw psycopg pool.

The three run interleaved in the same process, several tasks each; figures are medians over rounds.
With --profile the bridge's share is broken down by cProfile.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402  # after the settings' name is known

django.setup()

import psycopg_pool  # noqa: E402
from asgiref.sync import sync_to_async  # noqa: E402
from django.db import connections  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from tests.testapp.models import Author  # noqa: E402
from turbo_orm import close_pools, run_sync  # noqa: E402

OURS = ("bridge.py", "connection/", "pool/", "query/", "conf.py")
SQL = 'SELECT "id", "name", "age" FROM "testapp_author" WHERE "id" = %s LIMIT 21'


async def through_bridge(key: int) -> None:
    """Fetch one row as users of Turbo ORM do."""
    await Author.objects.aget(pk=key)


async def through_threads(key: int) -> None:
    """Fetch one row as Django's own aget does: its synchronous twin, in a thread."""
    await sync_to_async(Author.objects.get)(pk=key)


def through_raw_pool(pool: psycopg_pool.AsyncConnectionPool) -> Callable[[int], Awaitable[None]]:
    """Return what fetches one row as a tuple, with the driver and its pool alone."""

    async def fetch(key: int) -> None:
        async with pool.connection() as connection:
            cursor = await connection.execute(SQL, [key])
            await cursor.fetchall()

    return fetch


async def spend(work: Callable[[int], Awaitable[None]], key: int, tasks: int, each: int) -> float:
    """Return the microseconds of wall time per operation."""

    async def repeat() -> None:
        for _ in range(each):
            await work(key)

    began = time.perf_counter()
    await asyncio.gather(*(repeat() for _ in range(tasks)))
    return (time.perf_counter() - began) / (tasks * each) * 1e6


async def compare(options: argparse.Namespace) -> None:
    """Print the medians of the three and their ratios."""
    key = (await Author.objects.acreate(name="Ada")).pk
    settings = connections["default"].settings_dict
    where = {
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "host": settings["HOST"],
        "port": settings["PORT"],
    }
    wanted = {name: value for name, value in where.items() if value}
    pool = psycopg_pool.AsyncConnectionPool(
        kwargs={**wanted, "autocommit": True, "prepare_threshold": None},
        min_size=4,
        max_size=4,
        open=False,
    )
    async with pool:
        works = {
            "raw psycopg pool": through_raw_pool(pool),
            "Turbo ORM": through_bridge,
            "Django's aget": through_threads,
        }
        taken: dict[str, list[float]] = {name: [] for name in works}
        for name, work in works.items():
            await spend(work, key, options.tasks, 20)
        for _ in range(options.rounds):
            for name, work in works.items():
                taken[name].append(await spend(work, key, options.tasks, options.each))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    for name, median in medians.items():
        spread = statistics.median(abs(value - median) for value in taken[name])
        ratio = median / medians["Turbo ORM"]
        print(f"{name:18} {median:8.0f} us ± {spread:4.0f}   {ratio:5.2f} x Turbo ORM")
    if options.profile:
        await profile(key, options)


async def profile(key: int, options: argparse.Namespace) -> None:
    """Print which part of the time is spent in which package."""
    profiler = cProfile.Profile()
    profiler.enable()
    await spend(through_bridge, key, options.tasks, options.each)
    profiler.disable()
    shares: dict[str, float] = {}
    for (file, _, name), (*_, own, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        part = part_of(file, name)
        shares[part] = shares.get(part, 0.0) + own
    shares.pop("waiting", None)
    total = sum(shares.values())
    print("\nShare of the CPU time by where it is spent (cProfile, own time):")
    for part, spent in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"  {part:24} {spent / total:6.1%}")


def part_of(file: str, function: str) -> str:
    """Return which part of the whole a profiled function belongs to."""
    if "turbo_orm" in file:
        return "Turbo ORM"
    if "greenlet" in function:
        return "Turbo ORM (greenlets)"
    for part in ("psycopg_pool", "psycopg", "django", "uvloop", "asyncio"):
        if f"/{part}/" in file:
            return part
    if "select.epoll" in function or "run_until_complete" in function:
        return "waiting"
    return "built-in functions"


def main() -> None:
    """Read the options, make a database, compare, drop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--each", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    options = parser.parse_args()
    created = setup_databases(verbosity=0, interactive=False, aliases=["default"])
    try:
        run(compare(options), options.loop)
    finally:
        connections.close_all()
        teardown_databases(created, verbosity=0)


def run(coroutine: Awaitable[None], loop: str) -> None:
    """Run a coroutine on the loop that was asked for, and close what threads opened."""

    async def all_of_it() -> None:
        await coroutine
        await close_pools()
        await sync_to_async(connections.close_all)()
        await run_sync(lambda: None)

    if loop == "uvloop":
        import uvloop

        uvloop.run(all_of_it())
    else:
        asyncio.run(all_of_it())


if __name__ == "__main__":
    main()
