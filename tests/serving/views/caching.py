"""Views behind a cache, and views that use one."""

import itertools

from django.core.cache import cache, caches
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control, cache_page, never_cache

_calls = [itertools.count(1)]


def start_again():
    """Count from one again, for the next scenario."""
    _calls[:] = [itertools.count(1)]


@cache_page(60)
def in_memory(request):
    return HttpResponse(f"call {next(_calls[0])}")


@cache_page(60, cache="table", key_prefix="odd")
def in_table(request):
    return HttpResponse(f"call {next(_calls[0])}")


@never_cache
def never(request):
    return HttpResponse(f"call {next(_calls[0])}")


@cache_control(private=True, max_age=10)
def controlled(request):
    return HttpResponse(f"call {next(_calls[0])}")


async def counted(request):
    return HttpResponse(f"call {next(_calls[0])}")


def low_level(request):
    table = caches["table"]
    table.set("one", 1)
    table.add("one", 2)
    table.set_many({"two": 2, "three": 3})
    found = table.get_many(["one", "two", "four"])
    table.delete("two")
    return JsonResponse({"found": found, "two": table.get("two"), "more": table.incr("three")})


async def async_low_level(request):
    table = caches["table"]
    await table.aset("one", 1)
    await table.aadd("one", 2)
    await table.aset_many({"two": 2, "three": 3})
    found = await table.aget_many(["one", "two", "four"])
    await table.adelete("two")
    made = await table.aget_or_set("made", lambda: 7)
    await cache.aset("memory", 5)
    return JsonResponse(
        {
            "found": found,
            "two": await table.aget("two"),
            "more": await table.aincr("three"),
            "made": made,
            "memory": await cache.aget("memory"),
            "touched": await table.atouch("one"),
            "has": await table.ahas_key("one"),
        }
    )
