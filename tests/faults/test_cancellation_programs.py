"""Random programs of tasks, timeouts, shields and blocks, cancelled at every kind of wait.

A cancellation comes out where it would without the bridge: the judge is the same program outside
of it, and beside that a model on pure asyncio. A failing program is shrunk and printed.
``TURBO_CANCELLATION_EXAMPLES=5000`` tries others than always.
"""

import asyncio
import contextlib
import os
from functools import partial

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import override_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from tests.cancelling.databases import ROWS, Model, Orm, gated
from tests.cancelling.player import Player, noting_timers, shape
from tests.cancelling.programs import COUNTS, WAIT_FOR_STAYS, numbers_of, programs, steps
from tests.cancelling.stage import Stage
from tests.invariant import assert_at_rest
from tests.loops import Runner
from tests.straight import connect
from tests.testapp.models import Tag
from tests.thorough import THOROUGH, cases
from turbo_orm import close_pools, eager, portal, run_sync
from turbo_orm.bridge import await_
from turbo_orm.pool.connection import PooledConnection

EXAMPLES = int(os.environ.get("TURBO_CANCELLATION_EXAMPLES") or cases(100, 5_000))
ROOT, AFTER = -1, -2
# In the bridge.
WAYS = ("portal", "view", "run_sync", "eager")


@pytest.fixture
def watcher(databases):
    """A session that holds up what is to be slow."""
    with connect("default") as connection:
        yield connection


class Ways:
    """The ways in which a program may run, each a coroutine or a request."""

    def __init__(self, serve):
        self._root = None
        self._client = serve({"": self._view})

    async def _view(self, request):
        await self._root()
        return HttpResponse("done")

    def start(self, way, root):
        create = asyncio.get_running_loop().create_task
        if way == "view":
            self._root = root
            return self._client.begin("/").task
        if way == "portal":
            return create(portal(root()))
        if way == "run_sync":
            return create(run_sync(lambda: await_(root())))
        if way == "eager":
            return create(_awaited(root))
        return create(root())


async def _awaited(root):
    await eager(lambda: await_(root()))


async def played(program, plan, database, start, release=lambda number: None):
    """Play a program; return what came of each node, in the order of their numbers."""
    stage = Stage(release)
    stage.counts = not numbers_of(program, "scope")
    ended = []

    async def root():
        player = Player(stage, database(stage))
        with noted(stage, ROOT) as errors:
            await stage.act(ROOT, lambda: player.body(program))
        ended.extend(errors)
        # Nothing comes late.
        with noted(stage, AFTER):
            await asyncio.sleep(0)
            if database is Orm:
                await Tag.objects.acount()
        if errors and isinstance(errors[0], asyncio.CancelledError):
            raise errors[0]
        stage.result = player.database

    task = start(root)
    try:
        await stage.direct(plan, task.done)
    except BaseException:
        for running in (task, *stage.tasks):
            running.cancel()
        raise
    finally:
        await asyncio.wait({task, *stage.tasks})
    # Of a served request nothing else may come out, and that only if its server cancels it.
    cancelled = [shape(error) for error in ended if isinstance(error, asyncio.CancelledError)]
    assert task.cancelled() == bool(cancelled)
    if not task.cancelled():
        assert task.exception() is None
    return sorted(stage.log, key=lambda entry: entry[0]), stage


@contextlib.contextmanager
def noted(stage, number):
    """Note what came of something, and let no error out."""
    errors = []
    try:
        yield errors
    except (Exception, asyncio.CancelledError) as error:
        errors.append(error)
        stage.note(number, shape(error))
    else:
        stage.note(number, "done")


async def with_orm(program, plan, watcher, start):
    """Play a program on the database; return what came of it, and the rows."""
    slow = numbers_of(program, "slow")
    watcher.execute("SELECT pg_advisory_lock(n) FROM unnest(%s::bigint[]) AS n", [slow])

    def release(number):
        watcher.execute("SELECT pg_advisory_unlock(%s)", [number])

    try:
        log, _ = await played(program, plan, Orm, start, release)
    finally:
        watcher.execute("SELECT pg_advisory_unlock_all()")
    rows = watcher.execute("DELETE FROM testapp_author RETURNING name::int").fetchall()
    return log, sorted(row[0] for row in rows)


def differences(judge, found):
    """Return what each of two plays, notes and rows, has that the other does not have."""
    mine, other = ([*log, ("rows", *rows)] for log, rows in (judge, found))
    return [x for x in mine if x not in other], [x for x in other if x not in mine]


async def modelled(program, plan):
    """Play a program on the model; None if the model does not know what should happen."""
    create = asyncio.get_running_loop().create_task
    made = []

    def database(stage):
        made.append(Model(stage))
        return made[-1]

    log, _ = await played(program, plan, database, lambda root: create(root()))
    if any("Unmodelled" in str(entry) for entry in log):
        return None
    return log, sorted(made[0].rows)


@pytest.fixture
def ways(serve, stack, monkeypatch):
    """The ways, with every wait at a gate."""
    monkeypatch.setattr(PooledConnection, "wait", gated(PooledConnection.wait))
    if WAIT_FOR_STAYS:
        monkeypatch.setattr("asyncio.timeouts.timeout", noting_timers(asyncio.timeouts.timeout))
    Tag.objects.bulk_create(Tag(name=f"{number}") for number in range(ROWS))
    # Tasks of a group each have a connection, and hold it for as long as they are made to wait.
    patient = {"POOL": {"default": {"min_size": 1, "max_size": 20}}, "CLEANUP_TIMEOUT": 60}
    stack.enter_context(override_settings(TURBO_ORM={**settings.TURBO_ORM, **patient}))
    return Ways(serve)


@pytest.mark.timeout(7200 if THOROUGH else 240)
def test_a_cancellation_comes_out_where_it_would_without_the_bridge(new_loop, ways, watcher):
    turns = iter(range(10**9))
    known = 0

    async def compare(program, plan):
        nonlocal known
        judge = await with_orm(program, plan, watcher, partial(ways.start, "outside"))
        model = await modelled(program, plan)
        if model is not None:
            known += 1
            assert differences(judge, model) == ([], [])
        # Each program in one of them: twice as many programs show more.
        way = WAYS[next(turns) % len(WAYS)]
        found = await with_orm(program, plan, watcher, partial(ways.start, way))
        assert (way, *differences(judge, found)) == (way, [], [])

    with Runner(loop_factory=new_loop) as runner:

        @examples(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize="TURBO_CANCELLATION_EXAMPLES" not in os.environ,
            suppress_health_check=list(HealthCheck),
        )
        @given(programs(), steps)
        def compared(program, plan):
            runner.run(compare(program, plan))

        compared()
        runner.run(assert_at_rest("default"))
        runner.run(close_pools())
    assert known > EXAMPLES / 3


def around(kind, *nodes):
    """Return a program in which something is around nodes that end in a gate."""
    return ((0, kind, nodes),)


WRITES = (2, "insert")
BLOCK = (1, "block", (WRITES,))
# Whose cancellation comes at the first gate: the task's, or that of node 0.
TASK, OUTER = [(0, [0])], [(0, [1])]
CASES = {
    # (the program, the steps, what comes of the nodes that count, the rows that are left)
    "a task whose block commits": ((BLOCK,), TASK, {ROOT: "CancelledError"}, [2]),
    "a task whose synchronous block commits": (
        ((1, "work", (WRITES,)), (3, "insert")),
        TASK,
        {1: "CancelledError"},
        [2],
    ),
    "a scope around a block that commits": (
        (*around("scope", BLOCK), (3, "insert")),
        OUTER,
        {1: "CancelledError", 0: "done"},
        [2, 3],
    ),
    "a task whose savepoint is released": (
        ((1, "block", (WRITES, (3, "block", ((4, "insert"),)), (5, "insert"))),),
        TASK,
        {3: "CancelledError"},
        [],
    ),
    "a task whose synchronous savepoint is released": (
        ((1, "work", (WRITES, (3, "work", ((4, "insert"),)), (5, "insert"))),),
        TASK,
        {3: "CancelledError"},
        [],
    ),
    "a task that has read the last row of a stream": (
        ((1, "iterate"), (3, "insert")),
        TASK,
        {1: "CancelledError"},
        [],
    ),
    "a task whose block is rolled back": (
        ((1, "block", (WRITES, (3, "fails"))),),
        TASK,
        {3: "LookupError", 1: "CancelledError"},
        [],
    ),
    "a shield around a block that commits": (
        around("shield", BLOCK),
        TASK,
        {1: "done", ROOT: "CancelledError"},
        [2],
    ),
}
if COUNTS:
    EXPIRES = {0: "TimeoutError", 1: "CancelledError"}
    CASES |= {
        "a timeout around a block that commits": (around("timeout", BLOCK), OUTER, EXPIRES, [2]),
        "a timeout around a synchronous block that commits": (
            around("timeout", (1, "work", (WRITES,))),
            OUTER,
            EXPIRES,
            [2],
        ),
        "a timeout around a block that is rolled back": (
            around("timeout", (1, "block", (WRITES, (3, "fails")))),
            OUTER,
            EXPIRES,
            [],
        ),
        "a timeout around a stream that is closed": (
            around("timeout", (1, "stream")),
            [(0, []), *OUTER],
            EXPIRES,
            [],
        ),
        "a timeout around rows of which the last was read": (
            around("timeout", (1, "iterate")),
            OUTER,
            EXPIRES,
            [],
        ),
        "two timeouts, one in the other": (
            around("timeout", (3, "timeout", (BLOCK,))),
            [(0, [2, 1])],
            {3: "CancelledError", 0: "TimeoutError"},
            [2],
        ),
        "a timeout, and the task as well": (
            around("timeout", BLOCK),
            [(0, [1, 0])],
            {0: "CancelledError", ROOT: "CancelledError"},
            [2],
        ),
        "a scope, and the timeout inside it": (
            around("scope", (3, "timeout", (BLOCK,))),
            [(0, [2, 1])],
            {3: "CancelledError", 0: "done"},
            [2],
        ),
        "a group of which another task fails": (
            ((0, "group", (((3, "pause"), (4, "fails")),), (BLOCK,)),),
            # The first gate is the block's, the second that of the other task.
            [(1, [])],
            {4: "LookupError", 1: "CancelledError", ROOT: ["ExceptionGroup", "LookupError"]},
            [2],
        ),
    }
if WAIT_FOR_STAYS:
    CASES["wait_for() around a block that commits"] = (
        around("wait_for", BLOCK),
        OUTER,
        EXPIRES,
        [2],
    )


@pytest.mark.parametrize("case", CASES)
def test_cancelled_while_nothing_may_be_interrupted(run, ways, watcher, case):
    program, plan, expected, rows = CASES[case]

    async def in_every_way():
        try:
            for way in ("outside", *WAYS):
                log, kept = await with_orm(program, plan, watcher, partial(ways.start, way))
                noted = {number: what for number, what, _ in log}
                found = {number: noted.get(number) for number in expected}
                # What was cancelled, and dealt with, is cancelled no more; and nothing came late.
                after = [entry[1:] for entry in log if entry[0] == AFTER]
                left = COUNTS and noted[ROOT] == "CancelledError"
                assert (way, found, after, kept) == (way, expected, [("done", left)], rows)
            await assert_at_rest("default", fill=False)
        finally:
            await close_pools()

    run(in_every_way())
