"""Subscriptions: each step of a resolver's asynchronous generator runs in the bridge."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .operation import Operation
from .streams import opened

BRIDGED = "turbo-orm-subscription"


def bridge_subscriptions(schema: Any) -> None:
    """Let the subscriptions of a schema open their streams in the bridge; safe to call again.

    Args:
        schema: strawberry's.

    graphql-core calls a subscription's resolver past the extensions.
    """
    root = schema._schema.subscription_type
    for field in root.fields.values() if root is not None else ():
        if field.subscribe is not None and not field.extensions.get(BRIDGED):
            field.subscribe = _bridged(field.subscribe)
            field.extensions[BRIDGED] = True


def _bridged(subscribe: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(subscribe)
    def subscribe_in_bridge(*args: Any, **kwargs: Any) -> Any:
        return opened(functools.partial(subscribe, *args, **kwargs), Operation(None))

    return subscribe_in_bridge
