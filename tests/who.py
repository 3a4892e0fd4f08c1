"""A thread-local that middleware sets, as many packages do: who asks."""

import threading

LOCAL = threading.local()


class WhoAsks:
    """Keeps the name in a header for the time of the request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        LOCAL.name = request.headers["X-Name"]
        try:
            return self.get_response(request)
        finally:
            del LOCAL.name


class Remembers:
    """Forgets to clean up, as many do."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        LOCAL.before = getattr(LOCAL, "kept", None)
        LOCAL.kept = request.headers["X-Name"]
        return self.get_response(request)


def name():
    return getattr(LOCAL, "name", None)
