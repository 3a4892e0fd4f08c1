"""Places where a coroutine can run, each of which gives what it returns."""

from django.http import HttpResponse

from turbo_orm import await_, eager, portal, run_sync


async def outside(coroutine, serve):
    return await coroutine


async def in_portal(coroutine, serve):
    return await portal(coroutine)


async def in_run_sync(coroutine, serve):
    return await run_sync(await_, coroutine)


async def in_eager(coroutine, serve):
    return await eager(await_, coroutine)


async def in_request(coroutine, serve):
    """Run it in a coroutine view; ``serve`` is the fixture."""

    async def view(request):
        returned.append(await coroutine)
        return HttpResponse("served")

    returned = []
    assert (await serve({"": view}).get("/")).text == "served"
    return returned.pop()


PLACES = [outside, in_portal, in_run_sync, in_eager, in_request]
