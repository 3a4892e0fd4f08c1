"""The bridge runs synchronous functions: a coroutine that one returns would never be awaited."""

import asyncio
import functools

import asgiref.sync
import pytest

from turbo_orm import await_, await_thread, eager, portal, run_sync


async def coroutine_function(*args):
    raise AssertionError("nobody runs it")


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


class Callable:
    async def __call__(self):
        raise AssertionError("nobody runs it")

    async def method(self):
        raise AssertionError("nobody runs it")


FUNCTIONS = {
    "a coroutine function": coroutine_function,
    "a partial": functools.partial(coroutine_function, 1),
    "a callable object": Callable(),
    "a method": Callable().method,
    "a lambda": lambda: coroutine_function(),
    "a decorator's wrapper": decorated(coroutine_function),
    "a marked function": asgiref.sync.markcoroutinefunction(lambda: coroutine_function()),
}


@pytest.fixture(params=FUNCTIONS)
def function(request):
    return FUNCTIONS[request.param]


def refusal(verb):
    return pytest.raises(TypeError, match=rf"^{verb} can only be applied to synchronous functions")


async def test_run_sync_refuses_it_as_sync_to_async_does(function):
    with refusal("run_sync"):
        await run_sync(function)
    with refusal("run_sync"):
        await run_sync(run_sync_inside, function)


def run_sync_inside(function):
    return await_(run_sync(function))


def test_the_judge_refuses_a_coroutine_function():
    with pytest.raises(TypeError, match="sync_to_async can only be applied to sync functions"):
        asgiref.sync.sync_to_async(coroutine_function)


async def test_eager_refuses_it(function):
    with refusal("eager"):
        eager(function)


async def test_eager_refuses_it_after_a_wait(function):
    def waits():
        await_(asyncio.sleep(0))
        return function()

    with refusal("eager"):
        await eager(waits)


@pytest.mark.needs_thread("the function runs in one")
async def test_await_thread_refuses_it(function):
    with refusal("await_thread"):
        await run_sync(await_thread, function)


def test_await_thread_refuses_it_where_no_loop_runs(function):
    with refusal("await_thread"):
        await_thread(function)


async def test_the_refusal_names_the_function_and_what_to_write():
    with pytest.raises(TypeError) as refused:
        await run_sync(functools.partial(coroutine_function, 1))

    assert str(refused.value) == (
        "run_sync can only be applied to synchronous functions, and coroutine_function returned a "
        "coroutine. Write `await coroutine_function(...)`, or `await portal(coroutine_function(...)"
        ")` if synchronous code that it calls uses the ORM."
    )


async def test_a_coroutine_of_a_portal_may_return_one():
    async def inner():
        return 7

    async def outer():
        return inner()

    assert await (await portal(outer())) == 7


async def test_a_future_is_a_value_like_another():
    future = asyncio.get_running_loop().create_future()

    assert await run_sync(lambda: future) is future
