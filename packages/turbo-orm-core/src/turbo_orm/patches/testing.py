"""Keep the pool out of a database that a test case of Django's isolates by a transaction.

The connections of the pool would not see the rows of the test, and what they write would stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS

from ..bridge import in_bridge
from ..leases.holds import root_of
from ..pool import admit_pool, refuse_pool

# How many blocks of Django's test cases are open for an alias: one of the class, one of the test.
_blocks: Counter[str] = Counter()


def enter_block(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return an ``Atomic.__enter__`` that takes note of test cases."""

    @wraps(original)
    def enter_at_caller(self: Any) -> None:
        original(self)
        if self._from_testcase and not in_bridge():
            _note(self.using or DEFAULT_DB_ALIAS, 1)

    return enter_at_caller


def exit_block(original: Callable[..., None]) -> Callable[..., None]:
    """Return an ``Atomic.__exit__`` that takes note of test cases."""

    @wraps(original)
    def exit_at_caller(self: Any, *error: Any) -> None:
        try:
            original(self, *error)
        finally:
            if self._from_testcase and not in_bridge():
                _note(self.using or DEFAULT_DB_ALIAS, -1)

    return exit_at_caller


def _note(alias: str, change: int) -> None:
    _blocks[alias] = max(0, _blocks[alias] + change)
    if _blocks[alias]:
        refuse_pool(alias, lambda: _unseen(alias))
    else:
        admit_pool(alias)


def _unseen(alias: str) -> ImproperlyConfigured | None:
    if root_of(alias) is not None:
        return None
    return ImproperlyConfigured(
        f"A test case of Django's has a transaction open on database {alias!r}, which connections "
        "of the pool do not see. Derive the test from turbo_orm.test.TestCase, or use the fixture "
        "turbo_db instead of db; a test that needs real commits takes TransactionTestCase or "
        "turbo_transactional_db."
    )
