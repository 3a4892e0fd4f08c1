"""The one table of Django's own names that are replaced, so that its ``a*`` methods need no thread."""

from __future__ import annotations

from .auth import AUTH
from .database import DATABASE
from .row import Redirect
from .serving import SERVING
from .sessions import SESSIONS

__all__ = ["TABLE", "Redirect"]

TABLE: tuple[Redirect, ...] = (*DATABASE, *SERVING, *SESSIONS, *AUTH)
