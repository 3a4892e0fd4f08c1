"""What tests of asynchronous Django code need; never imported where requests are served."""

from .cases import SimpleTestCase, TestCase, TransactionTestCase
from .client import AsyncClient

__all__ = ["AsyncClient", "SimpleTestCase", "TestCase", "TransactionTestCase"]
