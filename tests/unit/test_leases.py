"""Whose connection code uses, decided by a table; no server is asked."""

import itertools

import pytest

from turbo_orm.leases.decision import (
    Held,
    Lease,
    Place,
    Standing,
    decide,
    enters,
    keeps_turn,
    standing,
)

HERE, ELSEWHERE = "the loop here", "another loop"
THREAD, HOSTED, LOOP, JOB = Place.THREAD, Place.HOSTED, Place.LOOP, Place.JOB
OUT, INSIDE, LATE = Standing.NONE, Standing.INSIDE, Standing.LATE

STANDINGS = [
    # what the context inherited, where it runs, how it stands
    (None, HERE, OUT),
    (None, None, OUT),
    (Held(HERE), HERE, INSIDE),
    (Held(HERE, own=True), HERE, INSIDE),
    # A thread or a loop of its own is somebody else, whatever has become of the block.
    (Held(HERE), ELSEWHERE, OUT),
    (Held(HERE), None, OUT),
    (Held(HERE, ended=True), ELSEWHERE, OUT),
    (Held(HERE, ended=True), None, OUT),
    # Late: the block has ended, and the task goes on that was started in it.
    (Held(HERE, ended=True), HERE, LATE),
    # The task that opened the block is out of it.
    (Held(HERE, ended=True, own=True), HERE, OUT),
    # That of a test belongs to no loop.
    (Held(None), HERE, INSIDE),
    (Held(None), None, INSIDE),
]

LEASES = [
    # place, standing, whether a caller waits, whether the block lends to threads, whose
    (THREAD, OUT, False, True, Lease.OWN),
    (THREAD, INSIDE, False, True, Lease.OWN),
    (THREAD, LATE, False, True, Lease.OWN),
    (THREAD, OUT, True, True, Lease.OWN),
    (THREAD, INSIDE, True, True, Lease.OWN),
    (THREAD, LATE, True, True, Lease.OWN),
    (HOSTED, OUT, False, True, Lease.OWN),
    (HOSTED, INSIDE, False, True, Lease.GUEST),
    (HOSTED, LATE, False, True, Lease.REFUSED),
    # A caller that was called back is asked whose its thread is, not who waits.
    (HOSTED, OUT, True, True, Lease.OWN),
    (HOSTED, INSIDE, True, True, Lease.GUEST),
    (HOSTED, LATE, True, True, Lease.REFUSED),
    (HOSTED, INSIDE, False, False, Lease.OWN),
    (LOOP, OUT, False, True, Lease.NONE),
    (LOOP, INSIDE, False, True, Lease.BLOCK),
    (LOOP, LATE, False, True, Lease.REFUSED),
    (LOOP, OUT, True, True, Lease.CALLER),
    (LOOP, INSIDE, True, True, Lease.CALLER),
    (LOOP, LATE, True, True, Lease.CALLER),
    (JOB, OUT, False, True, Lease.POOL),
    (JOB, INSIDE, False, True, Lease.BLOCK),
    (JOB, INSIDE, False, False, Lease.BLOCK),
    (JOB, LATE, False, True, Lease.REFUSED),
    (JOB, OUT, True, True, Lease.CALLER),
    (JOB, INSIDE, True, True, Lease.CALLER),
    (JOB, LATE, True, True, Lease.CALLER),
]

KEEPING = [
    # how many blocks were open when the turn began, how many are now, whether it is kept
    (0, 0, False),  # a transaction without a block: only its own tasks are in it
    (1, 1, False),
    (2, 2, False),
    # A savepoint that nobody else may get into.
    (0, 1, True),
    (1, 2, True),
    (1, 3, True),
    # Left by a job that had not entered it.
    (2, 1, False),
]

ENTERING = [
    # who waits, whether the holder awaits it, whether the holder awaits a thread, whether it enters
    (JOB, False, False, False),
    (JOB, True, False, True),
    (JOB, True, True, True),
    # Threads are not in the way of what runs on the loop.
    (JOB, False, True, False),
    (HOSTED, False, False, False),
    (HOSTED, False, True, True),
    (HOSTED, True, True, True),
    # What awaits a thread's code awaits a call.
    (HOSTED, True, False, False),
]


@pytest.mark.parametrize(("held", "loop", "expected"), STANDINGS)
def test_how_a_context_stands_to_a_block(held, loop, expected):
    assert standing(held, loop) is expected


@pytest.mark.parametrize(("place", "found", "called", "lends", "expected"), LEASES)
def test_whose_connection_is_used(place, found, called, lends, expected):
    assert decide(place, found, called=called, lends=lends) is expected


@pytest.mark.parametrize(("before", "now", "expected"), KEEPING)
def test_a_job_that_waits_keeps_its_turn_for_a_savepoint_of_its_own(before, now, expected):
    assert keeps_turn(before=before, now=now) is expected


@pytest.mark.parametrize(("place", "awaited", "thread_awaited", "expected"), ENTERING)
def test_who_enters_the_turn_of_another(place, awaited, thread_awaited, expected):
    assert enters(place, awaited=awaited, thread_awaited=thread_awaited) is expected


def test_every_case_is_in_the_table():
    cases = {(place, found, called) for place, found, called, *_ in LEASES}

    assert cases == set(itertools.product(Place, Standing, (False, True)))
