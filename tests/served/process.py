"""Start an ASGI server as a process of its own, wait until it answers, end it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connections

from tests.served.client import Answer, Connection, Disconnected
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
APPLICATION = "tests.served.asgi:application"

# Seconds for which a client may say nothing; by default five, which is little under load.
PATIENT = ("--timeout-keep-alive", "60")

COMMANDS = {
    "uvicorn": ["uvicorn", APPLICATION, "--host", "127.0.0.1", "--port", "{port}", *PATIENT],
    "hypercorn": ["hypercorn", APPLICATION, "--bind", "127.0.0.1:{port}", "--keep-alive", "60"],
    "granian": ["granian", APPLICATION, "--interface", "asgi", "--port", "{port}"],
    "daphne": ["daphne", APPLICATION, "--bind", "127.0.0.1", "--port", "{port}"],
}


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Served:
    """A server process; an async context manager.

    Args:
        server: one of `COMMANDS`.
        options: further words of its command line.
        settings: what `tests.served.settings` lets SERVED change.
    """

    def __init__(
        self, server: str = "uvicorn", *options: str, settings: dict[str, Any] | None = None
    ) -> None:
        self.port = free_port()
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - __aexit__ closes it
        words = [word.format(port=self.port) for word in COMMANDS[server]]
        changes = {"DATABASE": {}, **(settings or {})}
        changes["DATABASE"] = {
            "NAME": connections["default"].settings_dict["NAME"],
            # Tells its backends from all others.
            "OPTIONS": {"application_name": self.application_name},
            **changes["DATABASE"],
        }
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.served.settings",
            "SERVED": json.dumps(changes),
            "PYTHONPATH": str(ROOT),
            # What is left open at the end is complained of.
            "PYTHONWARNINGS": "default::ResourceWarning",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words, *options],
            cwd=ROOT,
            env=environment,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            # Some servers have workers, which a signal by force is to reach too.
            start_new_session=True,
        )

    @classmethod
    @contextlib.contextmanager
    def shared(cls, **arguments: Any) -> Iterator["Served"]:
        """Start one for several tests, each with a loop of its own; end it after them."""
        loop = asyncio.new_event_loop()
        try:
            served = loop.run_until_complete(cls(**arguments).__aenter__())
            try:
                yield served
            finally:
                loop.run_until_complete(served.__aexit__())
        finally:
            loop.close()

    @property
    def application_name(self) -> str:
        """Return what its backends are called in pg_stat_activity."""
        return f"served-{self.port}"

    async def __aenter__(self) -> "Served":
        try:
            await self.ready()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            await self.stop()
        finally:
            self.output.close()

    async def ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                await self.get("/empty/")
            except (OSError, Disconnected):
                assert self.process.poll() is None, f"it ended:\n{self.said()}"
                assert time.monotonic() < deadline, f"it does not answer:\n{self.said()}"
                await asyncio.sleep(0.02)
            else:
                return

    async def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page over a connection of its own."""
        return await self.ask("GET", path, **headers)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Make a request over a connection of its own."""
        async with Connection(self.port) as connection:
            return await connection.ask(method, path, body, **headers)

    async def state(self) -> dict[str, Any]:
        """Return what the process counts about itself."""
        answer = await self.get("/state/")
        assert answer.status == 200, self.said()
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def terminate(self) -> None:
        """Ask it to stop."""
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait until it has ended; return its exit code."""
        deadline = time.monotonic() + PATIENCE
        while (code := self.process.poll()) is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.said()}"
            await asyncio.sleep(0.02)
        return code

    async def stop(self) -> None:
        """End it, by force if it does not listen."""
        if self.process.poll() is None:
            self.terminate()
        try:
            await self.ended()
        except AssertionError:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise

    def said(self) -> str:
        """Return all that it wrote."""
        self.output.seek(0)
        return self.output.read()
