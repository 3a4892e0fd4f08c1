"""A test that takes too long says where every thread, task and greenlet was."""

from __future__ import annotations

import asyncio
import gc
import io
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

import greenlet
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item) -> Iterator[Any]:
    """Add the stacks to the report: what pytest-timeout prints in a worker of xdist is lost."""
    done = yield
    ends_the_test = signal.getsignal(signal.SIGALRM)
    if threading.current_thread() is threading.main_thread() and callable(ends_the_test):

        def report(number: int, frame: FrameType | None) -> None:
            item.add_report_section("call", "stacks", "\n".join(stacks()))
            ends_the_test(number, frame)

        signal.signal(signal.SIGALRM, report)
    return done


def stacks() -> Iterator[str]:
    """Yield a heading and a stack for each thread, each unfinished task and each greenlet."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        yield f"--- thread {names.get(ident, ident)}"
        yield "".join(traceback.format_stack(frame))
    # Of every loop, and whether or not a loop knows them.
    for found in gc.get_objects():
        # Not `isinstance`: a lazy object would be evaluated.
        kind = type(found)
        if issubclass(kind, asyncio.Task) and not found.done():
            yield f"--- {found!r}"
            written = io.StringIO()
            found.print_stack(file=written)
            yield written.getvalue()
        elif issubclass(kind, greenlet.greenlet) and found.gr_frame is not None:
            yield f"--- {found!r}"
            yield "".join(traceback.format_stack(found.gr_frame))
