"""DataLoaders whose function may use the ORM in any way."""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import isawaitable
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader as StockDataLoader

from turbo_orm import portal

K = TypeVar("K")
T = TypeVar("T")


class DataLoader(StockDataLoader[K, T]):
    """Mirrors ``strawberry.dataloader.DataLoader``.

    Args:
        load_fn: as for strawberry's; it may be synchronous, and use the ORM synchronously.
        **options: as for strawberry's.
    """

    def __init__(self, load_fn: Callable[[list[K]], Any], **options: Any) -> None:
        super().__init__(load_fn=_in_portal(load_fn), **options)


def _in_portal(load: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def load_in_bridge(keys: Any) -> Any:
        values = load(keys)
        return await values if isawaitable(values) else values

    @functools.wraps(load)
    async def loaded(keys: Any) -> Any:
        return await portal(load_in_bridge(keys))

    return loaded
