# What type checkers see: our own names, and that DRF's modules are here too (see mirror.py).

from typing import Any

from .asynchronous import AsyncViewMixin
from .optimizing import AutoOptimizeMixin
from .renderers import EventStreamRenderer, JSONLinesRenderer, ServerSentEvent
from .serializers import AsyncSerializerMixin
from .shapes import reads
from .streaming import StreamingListMixin, StreamingResponse

__version__: str

__all__ = [
    "AsyncSerializerMixin",
    "AsyncViewMixin",
    "AutoOptimizeMixin",
    "EventStreamRenderer",
    "JSONLinesRenderer",
    "ServerSentEvent",
    "StreamingListMixin",
    "StreamingResponse",
    "__version__",
    "reads",
]

# In a package's stub this says that it has further modules as well.
def __getattr__(name: str) -> Any: ...
