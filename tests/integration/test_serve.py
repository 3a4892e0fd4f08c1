"""`make serve`: every address that it prints answers, and a stop is no failure."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from tests.project import URI, database, environment
from tests.served.process import free_port

pytestmark = pytest.mark.timeout(150)

ROOT = Path(__file__).resolve().parent.parent.parent
# The Makefile's own words, but for uv: the environment of the tests has all that is needed.
SERVE = ["make", "serve", "RUN=sh -c 'shift 2; exec \"$$@\"' run", "ARGS=--articles 30"]
WITHOUT_MAKE = ["python", "scripts/with_postgres.py", "python", "examples/newsroom/manage.py"]
WITHOUT_MAKE += ["serve"]
# Runs a command in a terminal of its own, of which standard input is the keyboard.
IN_TERMINAL = """
import os, pty, sys
print("ended with", os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])), flush=True)
"""
CTRL_C = b"\x03"
STOPPED = "Finished server process"


@pytest.fixture(scope="module")
def url():
    """A database for the newsroom; the first server fills it."""
    name = f"turbo_newsroom_{os.getpid()}"
    with database(name):
        yield make_conninfo(URI, dbname=name)


@contextlib.contextmanager
def serving(url, *command):
    """Start a server; yield its process and what it printed until it was up."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(DATABASE_URL=url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Not the process group of the tests: one of the signals goes to the whole of it.
        start_new_session=True,
    )
    with process:
        try:
            printed = ""
            while "Uvicorn running" not in printed:
                line = process.stdout.readline().decode()
                assert line, printed
                printed += line
            yield process, printed
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def ended(process):
    """Return the exit code of a process, and what it printed since it was up."""
    printed = process.stdout.read().decode()
    return process.wait(), printed


def in_terminal(*command):
    return sys.executable, "-c", IN_TERMINAL, *command


# Make waits for the server and has nothing to complain of. Then it ends by the signal that it got
# itself, which no command can keep it from.
def test_every_address_that_is_printed_answers_until_make_is_stopped(url):
    port = free_port()
    with serving(url, *SERVE, f"PORT={port}") as (process, printed):
        addresses = re.findall(rf"http://127\.0\.0\.1:{port}\S*/\S*", printed)
        answers = {address: opened(address) for address in addresses}
        process.terminate()
        code, rest = ended(process)

    assert answers == dict.fromkeys(addresses, 200)
    assert [address.partition(str(port))[2] for address in addresses] == [
        *("/", "/articles/", "/articles/?tag=science", "/articles/news-30/", "/stats/"),
        *("/api/drf/", "/api/ninja/docs", "/graphql/", "/admin/"),
    ]
    assert "Traceback" not in rest
    assert (STOPPED in rest, "Error" in rest, code) == (True, False, -signal.SIGTERM), rest


def opened(address):
    """Open an address as a browser does; return the status."""
    request = urllib.request.Request(address, headers={"Accept": "text/html,*/*;q=0.8"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_with_0(url, number):
    command = [*WITHOUT_MAKE, "--port", str(free_port()), "--articles", "30"]
    with serving(url, *command) as (process, _):
        process.send_signal(number)
        code, printed = ended(process)

    assert (code, STOPPED in printed, "Traceback" in printed) == (0, True, False), printed


def test_ctrl_c_in_a_terminal_is_no_error_of_make(url):
    with serving(url, *in_terminal(*SERVE, f"PORT={free_port()}")) as (process, _):
        process.stdin.write(CTRL_C)
        process.stdin.flush()
        _, printed = ended(process)

    assert (STOPPED in printed, "Error" in printed) == (True, False), printed
    assert printed.endswith(f"ended with {-signal.SIGINT}\n")
