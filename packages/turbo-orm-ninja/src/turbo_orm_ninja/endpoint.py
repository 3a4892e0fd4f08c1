"""One operation of an API, and what is known of it after its first request."""

from __future__ import annotations

import threading
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from ninja.constants import NOT_SET
from ninja.operation import Operation

from .call import Call
from .options import option
from .resolvers import enable_resolvers
from .results import fetched, unwrapped, wrapped
from .security import on_loop
from .shapes import Shape, shape_of
from .streaming import array_response
from .throttling import per_request

UNKNOWN = Shape(frozenset(), {}, frozenset())


class Endpoint:
    """What the adapter knows of one bound operation."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._lock = threading.Lock()
        self._prepared = False

    def prepare(self) -> None:
        """Read the schemas and adapt what Ninja calls around the view; once, at a request.

        Not before: schemas may refer to others that are defined later, and what a router inherits
        is not bound yet.
        """
        if self._prepared:
            return
        with self._lock:
            operation = self.operation
            operation.auth_callbacks = on_loop(operation.auth_callbacks)
            operation.throttle_objects = per_request(operation.throttle_objects)
            for shape in self.shapes.values():
                enable_resolvers(shape.schemas)
            self._prepared = True

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
        return self.shapes.get(status) or self.shapes.get(Ellipsis) or UNKNOWN

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

    @property
    def streams(self) -> bool:
        """Whether the operation has one of Ninja's stream formats."""
        return self.operation.stream_format is not None

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Return the block that the operation runs in."""
        block = option(self.operation.view_func, "atomic", None)
        return nullcontext() if block is None else block()

    def finish(self, call: Call, request: HttpRequest, result: Any, arguments: Any) -> Any:
        """Return a result with everything in it that Ninja is going to read; in the bridge.

        Args:
            call: the request to this operation.
            request: the request itself.
            result: what the operation returned.
            arguments: what it was called with.
        """
        status, body = unwrapped(result, self.operation.response_models)
        shape = self._shape_or_none(status)
        if shape is None:
            return result
        if hasattr(body, "__anext__"):
            headers = arguments.get(self.operation.signature.response_arg or "")
            return array_response(call, request, status, body, headers)
        return wrapped(result, status, fetched(body, shape, optimizing=self.optimizes))

    def _shape_or_none(self, status: Any) -> Shape | None:
        try:
            return self.shapes.get(status) or self.shapes.get(Ellipsis)
        except TypeError:
            # No status at all: Ninja will say so.
            return None
