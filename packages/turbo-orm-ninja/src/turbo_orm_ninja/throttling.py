"""Throttles whose requests do not see each other's state while a cache is waited for."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from inspect import isawaitable
from typing import Any

from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from turbo_orm import await_


class PerRequest(BaseThrottle):
    """Gives each request a throttle of its own; one with coroutines is waited for.

    Ninja's keep the history of the present request in themselves, and there is one of them per
    operation: where the cache is in the database or on a network, several requests are in it.
    """

    def __init__(self, throttle: BaseThrottle) -> None:
        self._throttle = throttle
        self._latest = throttle

    def allow_request(self, request: HttpRequest) -> bool:
        """Tell whether a request may pass; in the bridge."""
        throttle = copy.copy(self._throttle)
        allowed: Any = throttle.allow_request(request)
        allowed = await_(allowed) if isawaitable(allowed) else allowed
        # Nothing waits between this and wait(), which Ninja calls at once.
        self._latest = throttle
        return bool(allowed)

    def wait(self) -> float | None:
        """Return the seconds after which the request that was just refused may come again."""
        return self._latest.wait()


def per_request(throttles: Sequence[BaseThrottle]) -> list[BaseThrottle]:
    """Return an operation's throttles, each with a state per request."""
    return [one if isinstance(one, PerRequest) else PerRequest(one) for one in throttles]
