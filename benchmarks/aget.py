"""What one `aget` by primary key costs, and where: ours, Django's own, a raw psycopg pool.

The three run interleaved in the same process, several tasks each; figures are medians over rounds.
Then the CPU time of one `aget` is broken down into what is Turbo ORM's own and the rest.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402  # after the settings' name is known

django.setup()

import psycopg  # noqa: E402
import psycopg_pool  # noqa: E402
from asgiref.sync import sync_to_async  # noqa: E402
from django.db import connections  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from tests.testapp.models import Author  # noqa: E402
from turbo_orm import close_pools, run_sync  # noqa: E402
from turbo_orm.pool import get_pool  # noqa: E402

STATEMENTS = 10
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
        for work in works.values():
            await spend(work, key, options.tasks, 20)
        for _ in range(options.rounds):
            for name, work in works.items():
                taken[name].append(await spend(work, key, options.tasks, options.each))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    for name, median in medians.items():
        spread = statistics.median(abs(value - median) for value in taken[name])
        ratio = median / medians["Turbo ORM"]
        print(f"{name:18} {median:8.0f} us ± {spread:4.0f}   {ratio:5.2f} x Turbo ORM")
    await break_down(key, options)


async def break_down(key: int, options: argparse.Namespace) -> None:
    """Print the CPU time of one aget, and of each part of it that is ours, measured by itself.

    A profiler that hooks calls (cProfile) attributes time wrongly where greenlets switch, so each
    part is run alone, and what is not ours in it is run alone too and subtracted.
    """
    pool = get_pool("default")

    async def whole() -> None:
        await Author.objects.aget(pk=key)

    async def bridge() -> None:
        await run_sync(int)

    async def borrowing() -> None:
        await run_sync(lambda: connections["default"].ensure_connection())

    async def psycopg_pool_alone() -> None:
        own = pool._pool
        await own.putconn(await own.getconn())

    async def statement_in_bridge() -> None:
        await run_sync(lambda: execute_many(connections["default"]))

    def execute_many(wrapper: Any) -> None:
        wrapper.ensure_connection()
        for _ in range(STATEMENTS):
            cursor = psycopg.ClientCursor(wrapper.connection)
            cursor.execute(SQL, [key])
            cursor.fetchall()

    async def statement_of_psycopg() -> None:
        connection = await pool.lend()
        for _ in range(STATEMENTS):
            cursor = psycopg.AsyncClientCursor(connection)
            await cursor.execute(SQL, [key])
            await cursor.fetchall()
        pool.take_back(connection)

    works = (
        whole,
        bridge,
        borrowing,
        psycopg_pool_alone,
        statement_in_bridge,
        statement_of_psycopg,
    )
    spent = await cpu_times(works, options)
    borrowed = spent["borrowing"] - spent["bridge"] - spent["psycopg_pool_alone"]
    statement = (
        spent["statement_in_bridge"]
        - spent["borrowing"]
        - (spent["statement_of_psycopg"] - spent["psycopg_pool_alone"])
    ) / STATEMENTS
    ours = spent["bridge"] + borrowed + statement
    print(f"\nCPU time of one aget: {spent['whole']:.0f} us; of it")
    print(f"  greenlet, job, context          {spent['bridge']:6.1f} us")
    print(f"  scope, wrapper, lease           {borrowed:6.1f} us")
    print(f"  facade and lock, one statement  {statement:6.1f} us")
    print(f"  ours altogether                 {ours:6.1f} us  {ours / spent['whole']:.1%}")
    print(f"  psycopg_pool alone              {spent['psycopg_pool_alone']:6.1f} us")


async def cpu_times(
    works: Iterable[Callable[[], Awaitable[None]]], options: argparse.Namespace
) -> dict[str, float]:
    """Return the median of the microseconds of CPU time that each takes, in interleaved rounds."""
    taken: dict[str, list[float]] = {work.__name__: [] for work in works}
    for _ in range(options.rounds):
        for work in works:
            began = time.process_time()
            for _ in range(options.each * 4):
                await work()
            spent = time.process_time() - began
            taken[work.__name__].append(spent / (options.each * 4) * 1e6)
    return {name: statistics.median(values) for name, values in taken.items()}


def main() -> None:
    """Read the options, make a database, compare, drop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--each", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=9)
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
