"""A minimal WSGI server, with the same browser: one thread serves one request after another."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import Any

from .client import Answer, Client, Step


class WSGIClient(Client):
    """Sends the requests of ``Client`` to a WSGI application."""

    async def request(self, step: Step) -> Answer:
        """Send a request, and wait in a thread until it is answered."""
        answer = Answer()
        # A WSGI application does not hear of a client that leaves.
        if not step.disconnect:
            await asyncio.to_thread(self._serve, step, answer)
            self._keep_cookies(answer)
        return answer

    def _serve(self, step: Step, answer: Answer) -> None:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answer.status = int(status.split(maxsplit=1)[0])
            answer.headers = headers

        application: Any = self.application
        try:
            response = application(self._environ(step), start)
            try:
                for part in response:
                    answer.body += part
                answer.finished = True
            finally:
                response.close()
        except (Exception, asyncio.CancelledError) as error:  # what a server would log
            answer.error = f"{type(error).__name__}: {error}"

    def _environ(self, step: Step) -> dict[str, Any]:
        scope = self._scope(step)
        body = b"".join(self._bodies(step))
        path = scope["path"].removeprefix(step.root_path).encode().decode("latin-1")
        environ = {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": step.root_path,
            "PATH_INFO": path,
            "QUERY_STRING": scope["query_string"].decode("latin-1"),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": scope["server"][0],
            "SERVER_PORT": str(scope["server"][1]),
            "REMOTE_ADDR": scope["client"][0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scope["scheme"],
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if body:
            environ["CONTENT_LENGTH"] = str(len(body))
        values: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            key = name.decode().upper().replace("-", "_")
            key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
            values.setdefault(key, []).append(value.decode("latin-1"))
        return environ | {key: ",".join(found) for key, found in values.items()}
