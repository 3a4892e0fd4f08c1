"""One operation of an API, and what is known of it after its first request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cached_property
from typing import Any

from ninja.constants import NOT_SET
from ninja.operation import Operation

from .layers import layers_of
from .options import option
from .shapes import Shape, shape_of

UNKNOWN = Shape(frozenset(), {}, frozenset())


class Endpoint:
    """What the adapter knows of one bound operation."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        # Of what is adapted at the first request.
        self.lock = threading.Lock()
        self.is_prepared = False
        # What runs the operation in the bridge in the place of its own method, if there is such.
        self.synchronous: Callable[..., Any] | None = None

    @cached_property
    def shapes(self) -> dict[Any, Shape]:
        """What the response of each status reads."""
        return {
            status: shape_of(model.model_fields["response"].annotation)
            for status, model in self.operation.response_models.items()
            if model is not None and model is not NOT_SET
        }

    def shape(self, status: Any) -> Shape:
        """Return what the response of a status reads; of nothing that is known if it has none."""
        return self.shape_or_none(status) or UNKNOWN

    def shape_or_none(self, status: Any) -> Shape | None:
        """Return what the response of a status reads, None if there is no response schema for it.

        Args:
            status: what the operation returned as such.
        """
        try:
            return self.shapes.get(status) or self.shapes.get(Ellipsis)
        except TypeError:
            # No status at all: Ninja will say so.
            return None

    @cached_property
    def row_paths(self) -> frozenset[str]:
        """What is read of the items of a stream."""
        return self.shape(200).paths

    def page_paths(self, items: str | None) -> frozenset[str]:
        """Return what is read of the rows of a page.

        Args:
            items: under which name the rows are in the response; None if they are the response.
        """
        if items is None:
            return self.row_paths
        for shape in self.shapes.values():
            if items in shape.members:
                return shape.members[items].paths
        return UNKNOWN.paths

    @cached_property
    def optimizes(self) -> bool:
        """Whether querysets are optimised by the response schema."""
        default = getattr(self.operation.api, "optimize", True)
        return bool(option(self.operation.view_func, "optimize", default))

    def is_of(self, function: Any) -> bool:
        """Tell whether a function is that of the operation, or is within it.

        Args:
            function: any; an operation may call the function of another one.
        """
        return any(layer is function for layer in layers_of(self.operation.view_func))

    @property
    def streams(self) -> bool:
        """Whether the operation has one of Ninja's stream formats."""
        return self.operation.stream_format is not None

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Return the block that the operation runs in."""
        block = option(self.operation.view_func, "atomic", None)
        return nullcontext() if block is None else block()
