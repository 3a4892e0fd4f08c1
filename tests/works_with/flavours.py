"""The ways to serve the project."""

import asyncio
import io
import json
from concurrent.futures import ThreadPoolExecutor

# Each in a process of its own. What Turbo ORM serves is compared with what stock Django serves:
# synchronous views by WSGI, coroutines by ASGI.
KINDS = {
    "wsgi": ("sync", "between"),
    "asgi": ("coroutine", "gather"),
    # With the application installed: turbo_orm.asgi, Django's own ASGI and WSGI handlers.
    "turbo": ("sync", "between", "coroutine", "gather"),
    "turbo_asgi": ("sync", "between", "coroutine", "gather"),
    "turbo_wsgi": ("sync", "between", "coroutine", "gather"),
    "turbo_without_plans": ("coroutine", "gather"),
}
# Under WSGI thread-locals are the thread's, with the application installed too.
AS_STOCK = ("wsgi", "asgi", "turbo_wsgi")


def serve(flavour, rounds):
    """Serve rounds of requests at once: lists of (path, user); return what each answered."""
    if flavour.endswith("wsgi"):
        return _serve_wsgi(rounds)
    return asyncio.run(_serve_asgi(flavour, rounds))


def _serve_wsgi(rounds):
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def ask(path, user):
        status = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "HTTP_X_USER": user,
            "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
        }
        response = application(environ, lambda line, headers: status.append(line))
        body = b"".join(response)
        response.close()
        assert status == ["200 OK"], (path, status, body[-3000:])
        return json.loads(body)["seen"]

    # The threads of a server, which serve one request after the other.
    with ThreadPoolExecutor(max(map(len, rounds))) as threads:
        return [[*threads.map(lambda each: ask(*each), requests)] for requests in rounds]


async def _serve_asgi(flavour, rounds):
    if flavour in ("turbo", "turbo_without_plans"):
        from turbo_orm.asgi import get_asgi_application
    else:
        from django.core.asgi import get_asgi_application
    application = get_asgi_application()

    async def ask(path, user):
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"testserver"), (b"x-user", user.encode())],
        }
        received = iter([{"type": "http.request"}])
        sent = []

        async def receive():
            for message in received:
                return message
            return await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        await application(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent)
        assert sent[0]["status"] == 200, (path, sent[0], body[-3000:])
        return json.loads(body)["seen"]

    answers = []
    for requests in rounds:
        tasks = [asyncio.create_task(ask(*each)) for each in requests]
        answers.append(await asyncio.gather(*tasks))
    if flavour.startswith("turbo"):
        from turbo_orm import close_pools

        await close_pools()
    return answers
