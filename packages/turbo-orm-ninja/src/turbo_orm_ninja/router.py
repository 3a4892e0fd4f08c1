"""A router whose asynchronous operations run on the bridge, whatever API it is added to."""

from __future__ import annotations

from typing import Any

import ninja

from .finishing import finishing
from .operation import bridged


class Router(ninja.Router):
    """Mirrors ``ninja.Router``; child routers inherit what it does, as all decorators."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_decorator(bridged, mode="view")
        self.add_decorator(finishing)
