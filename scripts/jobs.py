"""Run jobs, one or more at once, and end in one table and one line.

All go on after a failure, and what each wrote is printed in one piece when it has ended. The last
line is for those who read no more than that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Sequence

from scripts.totals import of_logs

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP = (sys.executable, str(ROOT / "scripts" / "bootstrap.py"))
OK, FAILED, NOT_RUN = "ok", "FAILED", "NOT RUN"
STILL_RUNNING = 60.0  # seconds between two lines that say what is at work


class Job(NamedTuple):
    """A command, and what it is called in the table.

    Args:
        what: its line in the table.
        command: its words.
        python: the minor version that it needs; where this machine has none, it is not run.
        required: whether it is a failure not to run it.
        environment: variables, besides those of this process.
    """

    what: str
    command: Sequence[str]
    python: str = ""
    required: bool = False
    environment: tuple[tuple[str, str], ...] = ()


class Result(NamedTuple):
    """What became of a job: one of the words above, and how many seconds it took."""

    job: Job
    outcome: str
    seconds: float


class Run:
    """All jobs of one run; their logs are kept until it has ended."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._printing = threading.Lock()
        self._results: dict[str, Result] = {}
        self._at_work: dict[str, float] = {}
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._ended = threading.Event()

    def run(self, jobs: Sequence[Job], first: Sequence[Job], at_once: int) -> bool:
        """Run what comes first, then the others; return whether nothing failed."""
        names = [job.what for job in (*first, *jobs)]
        assert len(set(names)) == len(names), f"two jobs have the same name: {names}"
        watching = threading.Thread(target=self._say_what_is_at_work, daemon=True)
        watching.start()
        try:
            for job in first:
                self._do(job)
            with ThreadPoolExecutor(at_once) as pool:
                for done in [pool.submit(self._do, job) for job in jobs]:
                    self._wait(done)
        finally:
            self._ended.set()
        results = [self._results[name] for name in names]
        print("\n".join(table(results)))
        print(of_logs(sorted(self._logs.iterdir())), flush=True)
        return not any(failed(result) for result in results)

    def _wait(self, done: Future[None]) -> None:
        try:
            done.result()
        except BaseException:
            # Ctrl-C, or a signal: what is under way ends, and nothing else begins.
            self._ended.set()
            for process in [*self._processes]:
                # Its children too: make does not pass a signal on to all of them.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
            raise

    def _do(self, job: Job) -> None:
        if not self._ended.is_set():
            self._results[job.what] = self._job(job)

    def _job(self, job: Job) -> Result:
        if job.python and not is_here(job.python):
            self._say(f"{NOT_RUN}: {job.what}: Python {job.python} is not on this machine")
            return Result(job, NOT_RUN, 0.0)
        self._say(f"==> {job.what}")
        started = self._at_work[job.what] = time.monotonic()
        log = self._logs / f"{len(self._results):02} {job.what.replace('/', '-')}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                job.command,
                cwd=ROOT,
                env={**os.environ, **dict(job.environment)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._processes.add(process)
            code = process.wait()
            self._processes.discard(process)
            if code:
                output.write(f"{FAILED}: {job.what}\n".encode())
        seconds = time.monotonic() - self._at_work.pop(job.what, started)
        text = log.read_text(encoding="utf-8", errors="replace")
        self._say(f"\n<== {job.what}, {seconds:.0f} s\n{text}")
        return Result(job, FAILED if code else OK, seconds)

    def _say(self, text: str) -> None:
        with self._printing:
            print(text, flush=True)

    def _say_what_is_at_work(self) -> None:
        while not self._ended.wait(STILL_RUNNING):
            now = time.monotonic()
            for what, started in [*self._at_work.items()]:
                self._say(f"    {what}: {now - started:.0f} s ...")


def is_here(python: str) -> bool:
    """Tell whether the machine has a Python of this minor version."""
    command = [*BOOTSTRAP, "--interpreter", python, "--find"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def failed(result: Result) -> bool:
    """Tell whether a result fails the run."""
    return result.outcome == FAILED or (result.outcome == NOT_RUN and result.job.required)


def table(results: Sequence[Result]) -> list[str]:
    """Return the closing table, a line for each job."""
    lines = ["", "Summary", "-------"]
    for job, outcome, seconds in results:
        took = "-" if outcome == NOT_RUN else f"{seconds:.0f} s"
        why = f" (Python {job.python} is not on this machine)" if outcome == NOT_RUN else ""
        lines.append(f"{outcome:<8} {took:>6}  {job.what}{why}")
    return lines


def run(jobs: Sequence[Job], first: Sequence[Job] = (), at_once: int = 1) -> int:
    """Run the jobs, print the table, and return the exit code.

    Args:
        jobs: in the order in which they begin.
        first: what must have ended before any of those begins.
        at_once: how many of those run at the same time.
    """
    with tempfile.TemporaryDirectory() as logs:
        return 0 if Run(Path(logs)).run(jobs, first, at_once) else 1
