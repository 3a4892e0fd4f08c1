"""What is adapted of an operation at its first request."""

from __future__ import annotations

from .endpoint import Endpoint
from .extra import synchronous_run
from .resolvers import enable_resolvers
from .security import on_loop
from .throttling import per_request


def prepare(endpoint: Endpoint) -> None:
    """Read the schemas and adapt what Ninja calls around the view; once, at a request.

    Args:
        endpoint: the operation.

    Not before: schemas may refer to others that are defined later, and what a router inherits is
    not bound yet.
    """
    if endpoint.is_prepared:
        return
    with endpoint.lock:
        operation = endpoint.operation
        operation.auth_callbacks = on_loop(operation.auth_callbacks)
        operation.throttle_objects = per_request(operation.throttle_objects)
        for shape in endpoint.shapes.values():
            enable_resolvers(shape.schemas)
        endpoint.synchronous = synchronous_run(operation)
        endpoint.is_prepared = True
