"""Turns in a line: in order, given on whatever happens, and inside the one that waits for them."""

import asyncio

import pytest

from turbo_orm.leases import lines
from turbo_orm.leases.lines import Line, Turn, lasting


def turn_in(line, outer=None):
    return Turn(None, outer, line)


async def taken(line, seen, name, may_enter=lambda turn: False):
    turn = turn_in(line)
    entered = None if line.begin(turn) else await line.wait(turn, may_enter)
    seen.append(name)
    return turn if entered is None else entered


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_turns_are_taken_in_the_order_in_which_they_were_wanted():
    line, seen = Line(), []
    first = await taken(line, seen, "first")
    others = [asyncio.create_task(taken(line, seen, name)) for name in "abc"]
    await settle()
    assert seen == ["first"]

    first.release()
    for other in others:
        (await other).release()

    assert (seen, line.holder) == (["first", *"abc"], None)


async def test_a_turn_is_released_once():
    line, seen = Line(), []
    first = await taken(line, seen, "first")
    first.release()
    second = await taken(line, seen, "second")

    first.release()

    assert line.holder is second


@pytest.mark.parametrize("given", [False, True])
async def test_a_cancelled_turn_goes_to_the_next(given):
    line, seen = Line(), []
    first = await taken(line, seen, "first")
    cancelled, other = (asyncio.create_task(taken(line, seen, name)) for name in "ab")
    await settle()

    if given:
        # It has the turn already, and does not know it yet.
        first.release()
    cancelled.cancel()
    await asyncio.wait([cancelled])
    first.release()
    (await other).release()

    assert (cancelled.cancelled(), seen, line.holder) == (True, ["first", "b"], None)


async def test_a_turn_is_taken_inside_the_one_that_begins_to_wait_for_it():
    line, seen, awaited = Line(), [], []
    first = await taken(line, seen, "first")
    asked = asyncio.Event()

    def may_enter(turn):
        asked.set()
        return turn in awaited

    entering = asyncio.create_task(taken(line, seen, "inside", may_enter))
    await asked.wait()
    await settle()
    assert seen == ["first"]

    awaited.append(first)

    assert await entering is first
    first.release()
    assert line.holder is None


async def test_those_who_wait_cost_one_timer_and_no_look_where_turns_go_on(monkeypatch):
    loop, line, seen, asked = asyncio.get_running_loop(), Line(), [], []
    timers, later = [], loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda *of: timers.append(of) or later(*of))
    # Longer than the test: a slow machine looks no more often.
    monkeypatch.setattr(lines, "pause_between_glances", lambda waiting: 60)
    first = await taken(line, seen, 0)
    ask = asked.append
    waiting = [asyncio.create_task(taken(line, seen, n, ask)) for n in range(1, 1001)]
    await settle()
    ((_, look, holder),) = [of for of in timers if of[1] == line._look]
    for _ in range(500):
        line.holder.release()
        look(holder)
        await settle()
    assert (seen, asked) == ([*range(501)], [])
    # All have the same question.
    look(line.holder)
    assert asked == [line.holder]
    assert first.released
    while line.holder is not None:
        line.holder.release()
        await settle()
    assert (line._timer, {each.done() for each in waiting}) == (None, {True})


def test_the_turn_that_lasts_is_the_innermost_that_has_not_ended():
    line = Line()
    outer = turn_in(line)
    inner = turn_in(outer.nested, outer)
    innermost = turn_in(inner.nested, inner)

    found = [lasting(innermost)]
    innermost.release()
    inner.release()
    found.append(lasting(innermost))
    outer.release()

    assert (found, lasting(innermost)) == ([innermost, outer], None)
