"""What DRF calls without awaiting: the function that waits in place of a coroutine function."""

import inspect
import sys

import pytest
from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from turbo_orm_drf.awaiting import waiting


async def of_coroutines():
    """A coroutine function."""


@markcoroutinefunction
def marked():
    """A function that says of itself that it returns an awaitable."""
    return of_coroutines()


@pytest.mark.parametrize("function", [of_coroutines, marked])
def test_what_waits_is_itself_no_coroutine_function(function):
    assert iscoroutinefunction(function)
    assert not iscoroutinefunction(waiting(function))
    assert sys.version_info < (3, 12) or not inspect.iscoroutinefunction(waiting(function))
