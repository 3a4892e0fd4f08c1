"""Django's guard against synchronous queries on an event loop, which lets the bridge pass.

Django decorates the methods of its database wrappers with ``async_unsafe``: they raise where an
event loop runs. An engine that overrides such a method calls the decorated one with ``super()``.
The decorator asks for the running loop by a name in its module. This module puts a function there
that finds no loop for wrappers that wait in the bridge.
"""

from __future__ import annotations

import sys
from asyncio import AbstractEventLoop, get_running_loop
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured
from django.utils import asyncio as guarding

from ..bridge import in_bridge
from ..connection.wrapper import BridgedWrapper

NAME = "get_running_loop"
# The decorator's own variable for the arguments of the method: the first one is the wrapper.
ARGUMENTS = "args"


def find_forbidding_loop() -> AbstractEventLoop:
    """Return the running loop that forbids what Django's guard stands before.

    Raises:
        RuntimeError: no loop forbids it: none runs, or the method belongs to a wrapper that waits
            in the bridge. Any other wrapper would block the loop, also in the bridge.
    """
    loop = get_running_loop()
    if in_bridge():
        arguments = sys._getframe(1).f_locals.get(ARGUMENTS)
        if arguments and isinstance(arguments[0], BridgedWrapper):
            raise RuntimeError("in the bridge, synchronous code may wait")
    return loop


def install() -> None:
    """Put the function in the guard's module; safe to call again.

    Raises:
        ImproperlyConfigured: this Django's guard works in another way.
    """
    module: Any = guarding
    code = getattr(module.async_unsafe(bool), "__code__", None)
    known = code is not None and NAME in code.co_names and ARGUMENTS in code.co_varnames
    if not known or not hasattr(module, NAME):
        raise ImproperlyConfigured(
            f"Turbo ORM replaces django.utils.asyncio.{NAME}, but async_unsafe() of Django "
            f"{django.get_version()} does not use it. Install a version of Turbo ORM that knows "
            "this Django."
        )
    setattr(module, NAME, find_forbidding_loop)
