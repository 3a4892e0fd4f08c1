"""Fields of one object take turns, in a number of steps that grows with the number of fields."""

import asyncio

import pytest

from turbo_orm import await_, portal
from turbo_orm_strawberry.waiting import Loads


class Author:
    """Any object with fields."""


async def field(loads, author, done, name):
    with loads.turn(author):
        await_(asyncio.sleep(0), suspending=True)
        done.append(name)


async def steps_of(fields, monkeypatch):
    loop = asyncio.get_running_loop()
    steps = []

    def call_soon(*args, **kwargs):
        steps.append(None)
        return type(loop).call_soon(loop, *args, **kwargs)

    loads, author, done = Loads(), Author(), []
    with monkeypatch.context() as patch:
        patch.setattr(loop, "call_soon", call_soon, raising=False)
        await asyncio.gather(*(portal(field(loads, author, done, n)) for n in range(fields)))
    assert done == list(range(fields))
    return len(steps)


async def test_twice_as_many_fields_of_an_object_take_twice_as_many_steps(monkeypatch):
    few, many = await steps_of(20, monkeypatch), await steps_of(40, monkeypatch)

    assert few < many < 3 * few


@pytest.mark.parametrize("is_given", [True, False], ids=["given the turn", "waiting"])
async def test_a_field_that_is_cancelled_passes_its_turn_on(is_given):
    loads, author, done, begun = Loads(), Author(), [], asyncio.Event()

    async def first():
        with loads.turn(author):
            await_(begun.wait(), suspending=True)
            if not is_given:
                tasks[1].cancel()
        if is_given:
            # The second has the turn, and has not gone on yet.
            tasks[1].cancel()

    tasks = [
        asyncio.create_task(portal(first())),
        asyncio.create_task(portal(field(loads, author, done, 2))),
        asyncio.create_task(portal(field(loads, author, done, 3))),
    ]
    await asyncio.sleep(0)
    begun.set()

    found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)

    assert [type(each) for each in found] == [type(None), asyncio.CancelledError, type(None)]
    assert done == [3]
    assert loads._loading == {}


async def test_a_field_that_fails_passes_its_turn_on():
    loads, author, done = Loads(), Author(), []

    async def fails():
        with loads.turn(author):
            await_(asyncio.sleep(0), suspending=True)
            raise LookupError

    both = asyncio.gather(
        portal(fails()), portal(field(loads, author, done, 2)), return_exceptions=True
    )
    found = await asyncio.wait_for(both, 30)

    assert type(found[0]) is LookupError
    assert done == [2]
