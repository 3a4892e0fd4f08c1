"""Mode `serving`: what Django's tests ask of its handlers is answered by ours, in the bridge."""

from __future__ import annotations


def use_our_handlers() -> None:
    """Put our handlers in the place of Django's, before any test module is imported."""
    # Its handler of static files stays Django's, as in a project of ours.
    import django.contrib.staticfiles.handlers  # noqa: F401
    from django.core import asgi
    from django.core.handlers import asgi as handlers
    from django.test import client

    from turbo_orm.asgi import TurboASGIHandler
    from turbo_orm.asgi.handler import BridgedHandler

    class BridgedClientHandler(BridgedHandler, client.ClientHandler):
        """The synchronous client's handler: the suite itself runs in the bridge."""

    for module in (asgi, handlers):
        module.ASGIHandler = TurboASGIHandler  # type: ignore
    client.ClientHandler = BridgedClientHandler  # type: ignore
