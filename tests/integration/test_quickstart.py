"""The README's quickstart, typed in word for word: from an empty folder to a page."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.project import database, environment, run
from tests.served.process import free_port

pytestmark = pytest.mark.timeout(300)

README = Path(__file__).resolve().parents[2] / "README.md"
# Done already: the packages are in the tests' environment, the database is made by a fixture.
DONE = {"pip", "createdb"}


@pytest.fixture
def steps():
    """The quickstart's blocks in their order: (language, text)."""
    section = README.read_text(encoding="utf-8").partition("## Quickstart\n")[2]
    section = section.partition("\n## ")[0]
    return re.findall(r"^```(\w+)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def coordinates():
    """A database on the tests' server."""
    with database(f"turbo_quickstart_{os.getpid()}") as made:
        yield made


def test_the_quickstart_can_be_typed_in(steps, coordinates, tmp_path):
    address = f"http://127.0.0.1:{free_port()}/"
    pages = []
    for language, text in steps:
        if language == "python":
            write(tmp_path, text, coordinates)
            continue
        for command in (shlex.split(line.removeprefix("$ ")) for line in text.splitlines()):
            if command[0] == "uvicorn":
                with serving(tmp_path, *command, "--port", address[:-1].rpartition(":")[2]) as log:
                    pages = [opened(address), opened(address)]
            elif command[0] not in DONE:
                run(tmp_path, *in_python(command))

    first, second = "Hello no. 1 by Ada", "Hello no. 2 by Ada"
    assert pages == [f"<h1>1 articles</h1>{first}", f"<h1>2 articles</h1>{second}<br>{first}"]
    assert re.findall(r"^committed: \d$", log.read_text(), re.MULTILINE) == [
        *("committed: 1", "committed: 2")
    ]
    assert "http://127.0.0.1:8000/" in README.read_text(encoding="utf-8")


def in_python(command):
    """Return a command without the word `python`; django-admin is a module of Django's too."""
    return command[1:] if command[0] == "python" else ["-m", "django", *command[1:]]


def write(folder, text, coordinates):
    """Write a block into the file that its first line names, or at the end of that file."""
    comment = text.partition("\n")[0]
    path = folder / re.match(r"# ([\w/]+\.py)", comment)[1]
    if path.name == "settings.py":
        assert "at the end" in comment
        # What the comment says of a server that wants it.
        text = f"{path.read_text()}{text}DATABASES['default'] |= {coordinates!r}\n"
    path.write_text(text)


@contextlib.contextmanager
def serving(folder, *command):
    """Serve while the block runs; yield the file with what the server prints."""
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-u", "-m", *command],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with process:
        try:
            deadline = time.monotonic() + 30
            while "Uvicorn running" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield log
        finally:
            process.send_signal(signal.SIGINT)


def opened(address):
    """Return the page at an address."""
    with urllib.request.urlopen(address, timeout=30) as response:
        return response.read().decode()
