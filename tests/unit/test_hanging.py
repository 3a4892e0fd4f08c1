"""A test that takes too long says what it waited for."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.hanging import stacks
from turbo_orm import run_sync
from turbo_orm.bridge import await_

ROOT = Path(__file__).resolve().parent.parent.parent
HANGS = """
import asyncio
import pytest
from turbo_orm import run_sync
from turbo_orm.bridge import await_

pytest_plugins = ["tests.hanging"]

async def where_it_waits():
    await asyncio.Event().wait()

def in_the_bridge():
    await_(asyncio.sleep(60))

@pytest.mark.timeout(1, func_only=True)
def test_hangs():
    async def main():
        await asyncio.gather(where_it_waits(), run_sync(in_the_bridge))
    asyncio.run(main())
"""


@pytest.mark.needs_thread("its stack is to be shown")
async def test_stacks_of_threads_tasks_and_greenlets_are_found():
    def in_the_bridge():
        await_(asyncio.sleep(60))

    def in_a_thread():
        release.wait()

    release = threading.Event()
    thread = threading.Thread(target=in_a_thread, name="that one")
    thread.start()
    task = asyncio.create_task(run_sync(in_the_bridge), name="this one")
    await asyncio.sleep(0)
    try:
        found = "\n".join(stacks())
    finally:
        release.set()
        thread.join()
        task.cancel()
        await asyncio.wait({task})

    assert "--- thread that one" in found
    assert "--- <Task pending name='this one'" in found
    assert "in in_a_thread\n    release.wait()" in found
    # Where the code in the bridge is, only its greenlet knows.
    assert "in in_the_bridge\n    await_(asyncio.sleep(60))" in found


@pytest.mark.timeout(150)
def test_the_report_of_a_test_that_hangs_shows_them(tmp_path):
    """In a process of pytest-xdist, whose own output nobody sees."""
    (tmp_path / "test_hanging.py").write_text(HANGS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = timeout\n")
    options = ("-p", "no:django", "-p", "no:turbo_orm", "-p", "no:randomly", "-n", "1")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Failed: Timeout" in done.stdout
    assert "in where_it_waits" in done.stdout
    assert "in in_the_bridge" in done.stdout
