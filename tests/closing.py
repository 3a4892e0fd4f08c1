"""Generators that have a block open, and ways to end them early."""

import contextlib
import gc

from django.db import transaction

from tests.testapp.models import Author
from turbo_orm import atomic


async def anames():
    return [name async for name in Author.objects.order_by("name").values_list("name", flat=True)]


def create(name):
    Author.objects.create(name=name)


async def acreate(name):
    await Author.objects.acreate(name=name)


# A generator, twice: for Django, and awaited.


def rows():
    with transaction.atomic():
        create("in the generator")
        yield 1
        create("later")
        yield 2


async def arows():
    async with atomic():
        await acreate("in the generator")
        yield 1
        await acreate("later")
        yield 2


# Each way to end one early, twice.


def break_out(generator):
    for _ in generator():
        break


async def abreak_out(generator):
    async for _ in generator():
        break


def close(generator):
    with contextlib.closing(generator()) as opened:
        for _ in opened:
            break


async def aclose(generator):
    async with contextlib.aclosing(generator()) as opened:
        async for _ in opened:
            break


def fail(generator):
    with contextlib.suppress(ZeroDivisionError):
        for _ in generator():
            raise ZeroDivisionError


async def afail(generator):
    with contextlib.suppress(ZeroDivisionError):
        async for _ in generator():
            raise ZeroDivisionError


def run_out(generator):
    for _ in generator():
        pass


async def arun_out(generator):
    async for _ in generator():
        pass


def collect(generator):
    opened = generator()
    next(opened)
    cycle = [opened]
    cycle.append(cycle)
    del opened, cycle
    gc.collect()


async def acollect(generator):
    opened = generator()
    await anext(opened)
    cycle = [opened]
    cycle.append(cycle)
    del opened, cycle
    gc.collect()
