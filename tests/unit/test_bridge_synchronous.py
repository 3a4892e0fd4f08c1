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


async def inner(number):
    raise AssertionError("nobody runs it")


def a_local_function():
    async def local():
        raise AssertionError("nobody runs it")

    return local


def the_lambda(function):
    return f"the lambda in line {function.__code__.co_firstlineno} of {__file__}"


# Named, since the message says in which line each stands.
OF_A_FUNCTION = lambda: inner(1)  # noqa: E731
OF_A_LOCAL_FUNCTION = lambda: a_local_function()()  # noqa: E731
OF_AN_OBJECT = lambda: Callable()()  # noqa: E731
OBJECT = "an object of the class Callable"
NAMES = {
    "a function": (functools.partial(inner, 1), "inner", "inner"),
    "a partial of a partial": (
        *(functools.partial(functools.partial(inner), number=1), "inner", "inner"),
    ),
    "a local function": (a_local_function(), "local", "local"),
    "a method": (Callable().method, "Callable.method", "Callable.method"),
    "an object": (Callable(), OBJECT, "function"),
    "a partial of an object": (functools.partial(Callable()), OBJECT, "function"),
    "an object's __call__": (Callable().__call__, "Callable.__call__", "function"),
    "a lambda": (OF_A_FUNCTION, the_lambda(OF_A_FUNCTION), "inner"),
    "a partial of a lambda": (
        *(functools.partial(OF_A_FUNCTION), the_lambda(OF_A_FUNCTION), "inner"),
    ),
    "a lambda of a local function": (
        *(OF_A_LOCAL_FUNCTION, the_lambda(OF_A_LOCAL_FUNCTION), "local"),
    ),
    "a lambda of an object": (OF_AN_OBJECT, the_lambda(OF_AN_OBJECT), "function"),
}


@pytest.mark.parametrize(("function", "called", "written"), NAMES.values(), ids=NAMES)
async def test_the_refusal_names_the_function_and_what_to_type(function, called, written):
    with pytest.raises(TypeError) as refused:
        await run_sync(function)

    assert str(refused.value) == (
        f"run_sync can only be applied to synchronous functions, and {called} returned a "
        f"coroutine. Write `await {written}(...)`, or `await portal({written}(...))` if "
        "synchronous code that it calls uses the ORM."
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
