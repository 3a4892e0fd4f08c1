"""Event loops, threads and processes: each has connections of its own."""

import asyncio
import gc
import logging
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections

from tests.loops import LOOPS
from tests.sessions import until_gone
from tests.testapp.models import Author
from tests.waiting import until
from turbo_orm import atomic, close_pools, pool_stats, run_sync
from turbo_orm.pool import get_pool

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def unkept_log(monkeypatch):
    """Keep pytest from keeping log records: through its arguments one holds a connection open."""
    monkeypatch.setattr(logging.getLogger("psycopg.pool"), "disabled", True)


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_fifty_loops_one_after_another_leave_no_backend(run):
    async def main(number):
        await Author.objects.acreate(name=str(number))
        results = await asyncio.gather(*(run_sync(one, "SELECT 1") for _ in range(3)))
        async with atomic():
            return sum(results) + await Author.objects.acount()

    until_gone("default")
    assert [run(main(number)) for number in range(50)] == [4 + n for n in range(50)]
    until_gone("default")


def test_a_loop_that_ends_while_its_pool_still_connects_ends_at_once(run):
    async def main():
        tasks = [asyncio.create_task(run_sync(one, "SELECT 1")) for _ in range(5)]
        await asyncio.sleep(pause)
        return len(tasks)

    for number in range(20):
        pause = number / 4000
        assert run(main()) == 5
    until_gone("default")


def test_pools_may_be_closed_or_left_to_the_loop(run):
    async def main(close):
        await run_sync(one, "SELECT 1")
        if close:
            await close_pools()

    for close in (True, False):
        run(main(close))
        until_gone("default")


def test_a_loop_closed_without_its_shut_down_leaves_nothing_once_another_runs(run, new_loop):
    async def main():
        await run_sync(one, "SELECT 1")

    loop = new_loop()
    loop.run_until_complete(main())
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(tasks))
    del task, tasks
    loop.close()
    del loop
    run(main())
    gc.collect()
    until_gone("default")


def test_a_pool_is_that_of_its_loop(run):
    async def pool():
        return get_pool("default"), get_pool("default"), get_pool("other")

    first, second = run(pool()), run(pool())
    assert first[0] is first[1]
    assert len({*first, *second}) == 4


def test_what_was_kept_of_one_loop_fails_clearly_in_the_next(run):
    async def keep():
        return await run_sync(lambda: connections["default"].cursor())

    async def use(cursor):
        await run_sync(cursor.execute, "SELECT 1")

    cursor = run(keep())
    with pytest.raises(Exception, match="has gone back to the pool"):
        run(use(cursor))
    until_gone("default")


@pytest.mark.needs_thread("two loops at once need two threads")
def test_loops_in_two_threads_have_a_pool_each(run):
    barrier = threading.Barrier(2)

    async def main(number):
        pids = set()
        for round_ in range(30):
            await Author.objects.acreate(name=f"{number} {round_}")
            pids.add(await run_sync(one, "SELECT pg_backend_pid()"))
        barrier.wait(10)
        # One may still be on its way.
        await until(lambda: pool_stats().in_use == 0, told=pool_stats)
        return pids, pool_stats().max_size

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda number: run(main(number)), range(2))

    assert not first[0] & second[0]
    assert first[1] == second[1] == 4
    assert one("SELECT count(*) FROM testapp_author") == 60
    until_gone("default")


FORK = """
import asyncio, gc, importlib, os, sys, warnings
warnings.simplefilter("error")
import django
django.setup()
from django.conf import settings
from django.db import connections
from turbo_orm import atomic, pool_stats, run_sync

def one(sql):
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]

SQL = "SELECT pg_backend_pid() FROM (SELECT pg_sleep(0.02)) AS slept"

async def many(rounds):
    pids = set()
    process = os.getpid()
    for _ in range(rounds):
        if os.getpid() == process:
            pids |= set(await asyncio.gather(*(run_sync(one, SQL) for _ in range(8))))
    return pids

def child(before, report):
    pids = asyncio.run(many(5))
    os.write(report, f"{len(pids & before)} {len(pids) <= 4}".encode())

async def parent():
    loop = asyncio.get_running_loop()
    before = await many(2)
    load = asyncio.create_task(many(20))
    await asyncio.sleep(0.05)
    source, report = os.pipe()
    process = os.fork()
    if process == 0:
        # What the child's copy of the load still does may not reach the parent's sessions.
        load.add_done_callback(asyncio.Task.exception)
        going_on = loop.create_future()
        loop.call_later(0.3, going_on.set_result, None)
        await going_on
        return before, report
    after = await load
    after |= await many(5)
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        await asyncio.sleep(0.01)
    print("child shared and stayed small:", os.read(source, 100).decode())
    print("parent:", len(before | after) <= 4, await run_sync(one, "SELECT 7"))
    while pool_stats().in_use:
        await asyncio.sleep(0.01)

{main}
"""

# The child leaves the parent's loop behind, as a pre-forking server's worker does.
FORK_IN_LOOP = """
result = None
loop = importlib.import_module(sys.argv[1]).new_event_loop()
result = loop.run_until_complete(parent())
if result is not None:
    # The tasks of its parent's loop, which nobody can end here, complain when they are collected.
    gc.disable()
    asyncio.set_event_loop(None)
    code = 1
    try:
        child(*result)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)
tasks = asyncio.all_tasks(loop)
for task in tasks:
    task.cancel()
loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
loop.run_until_complete(loop.shutdown_asyncgens())
loop.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_child_of_a_fork_opens_its_own_connections_and_the_parent_is_unharmed(loop, tmp_path):
    database = connections["default"].settings_dict["NAME"]
    settings = textwrap.dedent(f"""
        from tests.settings import *
        DATABASES["default"]["NAME"] = {database!r}
    """)
    (tmp_path / "fork_settings.py").write_text(settings)
    script = tmp_path / "fork.py"
    script.write_text(FORK.replace("{main}", FORK_IN_LOOP))
    path = os.pathsep.join([str(tmp_path), str(ROOT), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, str(script), loop],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "fork_settings", "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (
        0,
        ["child shared and stayed small: 0 True", "parent: True 7"],
        "",
    )
    until_gone("default")
