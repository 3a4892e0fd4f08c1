"""The parent's side of a served project: start it, ask it, know what it used, end it."""

from __future__ import annotations

import http.client
import subprocess
import sys
import tempfile

import psutil

from benchmarks.environments import ROOT
from benchmarks.processes import await_end

# Until a server answers: more means that it hangs.
PATIENCE = 20


class Server:
    """A process that serves the project in one of its variants."""

    def __init__(
        self,
        system: str,
        conninfo: str,
        *,
        middleware: bool,
        connections: int,
        project: str = "benchmarks.served.systems",
        worker: str = "benchmarks.served.worker",
    ) -> None:
        self.cookie = ""
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - stop() closes it
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", worker, project, system, conninfo),
                *(["--middleware"] if middleware else []),
                *("--connections", str(connections)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        assert self.process.stdout is not None
        # An empty line: it ended before it had a port.
        self.port = int(self.process.stdout.readline().strip() or 0)
        if not self.port:
            raise self.failure(f"The server of {system!r} did not start")
        self.usage = psutil.Process(self.process.pid)

    def get(self, path: str, body: str | None = None) -> tuple[int, str]:
        """Return status and body of a page, or of the answer to a JSON document."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            headers = {"Cookie": self.cookie}
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request("POST" if body is not None else "GET", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError as error:
            raise self.failure(f"{path} was not answered ({error!r})") from None
        finally:
            connection.close()

    def cpu_seconds(self) -> float:
        """Return what the process and those that it started have used of processors so far."""
        processes = [self.usage, *self.usage.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    def failure(self, what: str) -> SystemExit:
        """Return what ends the run: what happened, and what the server said."""
        self.errors.seek(0)
        return SystemExit(
            f"{what}. The server's standard error:\n{self.errors.read() or '(empty)'}"
        )

    def stop(self) -> None:
        """End the process, gracefully while that is possible."""
        self.process.terminate()
        await_end(self.process)
        self.errors.close()
