"""The one table of Django's own names that are replaced: its ``a*`` methods need no thread then."""

from __future__ import annotations

from .auth import AUTH
from .database import DATABASE
from .row import Redirect
from .serving import SERVING
from .sessions import SESSIONS

__all__ = ["TABLE", "Redirect"]

TABLE: tuple[Redirect, ...] = (*DATABASE, *SERVING, *SESSIONS, *AUTH)
