"""Whose connection code uses, decided by a table; no server is asked."""

import itertools

import pytest

from turbo_orm.leases.decision import Held, Lease, Place, Standing, decide, standing

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


@pytest.mark.parametrize(("held", "loop", "expected"), STANDINGS)
def test_how_a_context_stands_to_a_block(held, loop, expected):
    assert standing(held, loop) is expected


@pytest.mark.parametrize(("place", "found", "called", "lends", "expected"), LEASES)
def test_whose_connection_is_used(place, found, called, lends, expected):
    assert decide(place, found, called=called, lends=lends) is expected


def test_every_case_is_in_the_table():
    cases = {(place, found, called) for place, found, called, *_ in LEASES}

    assert cases == set(itertools.product(Place, Standing, (False, True)))
