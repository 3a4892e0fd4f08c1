"""Which event loops a test runs on: asyncio's, and uvloop's too where sockets and loops matter."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from fnmatch import fnmatch
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    from asyncio import Runner
else:  # as pytest-asyncio does
    from backports.asyncio.runner import Runner

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
if sys.platform != "win32":
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop

# Connections end and are waited for differently: coroutine tests of these files run on both.
ON_BOTH = (
    "tests/faults/test_*.py",
    "tests/integration/test_connection_*.py",
    "tests/integration/test_pool*.py",
)
# What matters here is the loop of the server, which is another process.
ON_ONE = ("tests/faults/test_disconnects.py",)


def runs_on_both(path: str) -> bool:
    """Tell whether the coroutine tests of a file, a path below the root, run on both loops."""
    return _any(path, ON_BOTH) and not _any(path, ON_ONE)


def _any(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tell pytest-asyncio which loops a test runs on; called for each coroutine test."""
    path = item.path.relative_to(config.rootpath).as_posix()
    return LOOPS if runs_on_both(path) else {"asyncio": LOOPS["asyncio"]}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on uvloop, before ``-m`` chooses."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and "uvloop" in callspec.id.split("-"):
            item.add_marker("uvloop")


@pytest.fixture(params=LOOPS)
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    """Make event loops of one kind; a synchronous test runs once with each."""
    return LOOPS[request.param]


@pytest.fixture
def run(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Callable[..., Any]:
    """Run a coroutine to its end in a loop of its own, as `asyncio.run` does, on both loops."""

    def run(main: Coroutine[Any, Any, Any]) -> Any:
        with Runner(loop_factory=new_loop) as runner:
            return runner.run(main)

    return run
