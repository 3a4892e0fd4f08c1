"""The rows for what a request passes through: handler, middleware, signals, caches, pages."""

from __future__ import annotations

from .. import blocking, calls, serving, signals, threads
from .row import Redirect

CACHE = ("aadd", "aclear", "adelete", "aget", "aset", "atouch")
CACHE_SINCE_61 = (
    *("aclose", "adelete_many", "aget_many", "aget_or_set", "ahas_key", "aincr", "aincr_version"),
    "aset_many",
)

SERVING = (
    Redirect(
        "django.dispatch.dispatcher",
        "sync_to_async",
        threads.sync_to_async,
        ("Signal.asend", "Signal.asend_robust"),
        since=(5, 0),
    ),
    # What a project's own receivers, middleware and views import from there.
    Redirect("asgiref.sync.AsyncToSync", "__call__", threads.call_from_bridge),
    # Who waits for whom: a caller for its coroutine, a block for its thread.
    Redirect("asgiref.sync.AsyncToSync", "main_wrap", calls.with_loop, ("__call__",)),
    Redirect("asgiref.sync.SyncToAsync", "thread_handler", calls.with_host),
    Redirect("asgiref.sync.SyncToAsync", "__call__", calls.with_waiting_call),
    Redirect(
        "django.dispatch.dispatcher",
        "async_to_sync",
        threads.async_to_sync,
        ("Signal.send", "Signal.send_robust"),
        since=(5, 0),
    ),
    Redirect(
        "django.dispatch.dispatcher",
        "asyncio",
        signals.sequential_asyncio,
        ("Signal.send", "Signal.send_robust"),
        since=(5, 0),
        before=(6, 1),
    ),
    Redirect(
        "django.dispatch.dispatcher",
        "_run_parallel",
        signals.run_in_turn,
        ("Signal.send", "Signal.send_robust"),
        since=(6, 1),
    ),
    Redirect("django.core.handlers.asgi.ASGIHandler", "handle", serving.in_request),
    Redirect(
        "django.core.handlers.asgi",
        "sync_to_async",
        threads.sync_to_async,
        ("ASGIHandler.handle",),
    ),
    Redirect(
        "django.core.handlers.asgi",
        "sync_to_async",
        threads.sync_to_async,
        ("ASGIHandler.send_response",),
        before=(5, 0),
    ),
    Redirect(
        "django.core.handlers.exception",
        "sync_to_async",
        threads.inside_the_bridge,
        ("convert_exception_to_response:inner",),
    ),
    Redirect("django.core.handlers.base.BaseHandler", "load_middleware", serving.load_middleware),
    Redirect(
        "django.test.client",
        "sync_to_async",
        threads.in_the_bridge,
        ("AsyncClientHandler.__call__",),
        in_tests=True,
    ),
    Redirect(
        "django.utils.deprecation",
        "sync_to_async",
        threads.sync_to_async,
        ("MiddlewareMixin.__acall__",),
    ),
    Redirect(
        "django.http.response",
        "async_to_sync",
        threads.async_to_sync,
        ("StreamingHttpResponse.__iter__",),
    ),
    Redirect(
        "django.http.response.StreamingHttpResponse",
        "_set_streaming_content",
        serving.set_streaming_content,
        ("streaming_content",),
    ),
    Redirect("django.core.cache.CacheHandler", "create_connection", blocking.create_cache),
    Redirect(
        "django.core.cache.backends.base",
        "sync_to_async",
        threads.sync_to_async,
        tuple(f"BaseCache.{name}" for name in CACHE),
    ),
    Redirect(
        "django.core.cache.backends.base",
        "sync_to_async",
        threads.sync_to_async,
        tuple(f"BaseCache.{name}" for name in CACHE_SINCE_61),
        since=(6, 1),
    ),
    Redirect(
        "django.core.paginator",
        "sync_to_async",
        threads.sync_to_async,
        ("AsyncPage.aget_object_list",),
        since=(6, 0),
    ),
    # Tasks themselves may do anything, so those that are synchronous keep their thread.
    Redirect(
        "django.tasks.base",
        "async_to_sync",
        threads.async_to_sync,
        ("Task.call",),
        since=(6, 0),
    ),
)
