"""What the served process counts about itself."""

import asyncio
import threading
from collections import Counter
from typing import Any

import asgiref.sync
import psutil
from django.core.signals import request_finished, request_started

from turbo_orm import pool_stats

counted: Counter[str] = Counter()
hops: Counter[str] = Counter()
paths: Counter[str] = Counter()


def start_counting() -> None:
    """Count thread hops and request signals from now on."""
    hop = asgiref.sync.SyncToAsync.__call__

    async def counted_hop(self: Any, *args: Any, **kwargs: Any) -> Any:
        hops[getattr(self.func, "__qualname__", repr(self.func))] += 1
        return await hop(self, *args, **kwargs)

    asgiref.sync.SyncToAsync.__call__ = counted_hop  # type: ignore[method-assign]
    request_started.connect(_count_started)
    request_finished.connect(_count_finished)


def _count_started(scope: Any, **kwargs: Any) -> None:
    counted["started"] += 1
    paths[scope["path"]] += 1


def _count_finished(**kwargs: Any) -> None:
    counted["finished"] += 1


def note_threads() -> None:
    """Remember how many threads there were at most."""
    counted["most threads"] = max(counted["most threads"], threading.active_count())


def state() -> dict[str, Any]:
    """Return all of it, and what the process holds now; the request that asks is not counted."""
    stats = pool_stats("default")
    tasks = Counter(name(task) for task in asyncio.all_tasks() if task not in own_tasks())
    return {
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "most_threads": counted["most threads"],
        "hops": dict(hops),
        "started": counted["started"] - 1,
        "finished": counted["finished"],
        "paths": dict(paths),
        "tasks": dict(sorted(tasks.items())),
        "pool": {
            "idle": stats.idle,
            "in_use": stats.in_use,
            "waiting": stats.waiting,
            "size": stats.size,
        },
        "rss": psutil.Process().memory_info().rss,
    }


def name(task: asyncio.Task[Any]) -> str:
    """Return what a task runs."""
    return getattr(task.get_coro(), "__qualname__", repr(task))


def own_tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks of the request that asks: it, and what listens for its client."""
    mine = asyncio.current_task()
    # The others belong to the server or to other requests; of listeners there is one per request.
    listening = [task for task in asyncio.all_tasks() if "listen" in name(task)]
    assert mine is not None
    return {mine, *listening[:1]}
