"""The thread that a request may have: where its synchronous parts run."""

from __future__ import annotations

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections


def has_thread() -> bool:
    """Tell whether this request has a thread, its own or one that asgiref made for a hop."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    return context is not None and context in SyncToAsync.context_to_thread_executor


async def finish_thread() -> None:
    """Wait for the request's thread, and close the connections that were opened there."""
    await sync_to_async(close_old_connections, thread_sensitive=True)()


async def wait_for_thread() -> None:
    """Wait until the request's thread has done what it was asked to do."""
    if has_thread():
        await sync_to_async(_nothing, thread_sensitive=True)()


def _nothing() -> None:
    """Wait until the thread's queue is empty."""
