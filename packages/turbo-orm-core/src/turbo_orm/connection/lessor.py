"""Whom a wrapper asks before it is used: the layer above decides who holds which connection."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .wrapper import BridgedWrapper


class Transaction(Protocol):
    """A transaction as its wrapper knows it: the layer above says who is in it."""

    ended: bool


class Lessor(Protocol):
    """Decides who may use a wrapper; ``turbo_orm.leases`` does."""

    def check_access(self, wrapper: BridgedWrapper) -> None:
        """Raise unless the running code may use the wrapper."""

    def begin_transaction(self, wrapper: BridgedWrapper) -> None:
        """Put the running context into the transaction that the wrapper begins."""

    def end_transaction(self, wrapper: BridgedWrapper) -> None:
        """Take the running context out of the transaction that the wrapper has ended."""

    def replaced(self, wrapper: BridgedWrapper) -> AbstractContextManager[None]:
        """Let a wrapper be the running job's for its alias."""


class _Current:
    """The lessor in use; ``turbo_orm.leases`` puts its functions here when it is imported."""

    __slots__ = ("begin_transaction", "check_access", "end_transaction", "replaced")


lessor: Lessor = _Current()  # type: ignore[assignment]


def use_lessor(chosen: Lessor) -> None:
    """Let wrappers ask this lessor.

    Args:
        chosen: an object, or a module, with the functions of ``Lessor``.
    """
    for name in _Current.__slots__:
        setattr(lessor, name, getattr(chosen, name))
