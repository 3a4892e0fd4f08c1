"""The few errors that are Turbo ORM's own; everything else is Django's."""

from __future__ import annotations


class TurboOrmError(Exception):
    """Base of every error that Turbo ORM itself defines."""


class EmptyResultSet(TurboOrmError):
    """Kept for code written against ``django-turbo-orm``; Turbo ORM never raises it.

    A query that can match nothing (``pk__in=[]``, ``none()``) simply gives no rows, as in Django.
    """


class MissingBridge(TurboOrmError, RuntimeError):
    """Raised by synchronous code that waits for something outside ``run_sync`` and its kin."""


class PlanMismatch(TurboOrmError):
    """A cached plan gave something else than Django; raised under ``PLANS = "verify"``."""
