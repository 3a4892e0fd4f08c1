"""Thread-locals of other packages become request-locals: values live in the context.

A ``threading.local`` is shared by all requests that an event loop serves. Here those of installed
applications and of middleware get a face of the same kind. ``faces`` has the objects, ``owned``
says whose thread-locals are replaced, ``finding`` finds them, ``replacing`` puts the faces where
the thread-locals are referred to, ``rebinding`` cares for those that are made later, ``imports``
for modules that are imported later, and ``installing`` does all of it at start-up.
"""

from __future__ import annotations

from .installing import install, report, resolve
from .report import Report

__all__ = ["Report", "install", "report", "resolve"]
