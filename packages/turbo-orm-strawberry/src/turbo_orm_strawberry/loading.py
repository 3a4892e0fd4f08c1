"""The user and the session of a request, loaded by whichever field comes first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, empty

from .waiting import Turns


def load_once(request: HttpRequest) -> None:
    """Let the fields that ask for a request's user or session at once wait for one load of it.

    Args:
        request: the request, as the middleware left it.

    Two loads would be two queries; and of two copies of a session one is lost, with what a field
    has put into it.
    """
    turns = Turns()
    session = getattr(request, "session", None)
    if isinstance(session, SessionBase):
        session.load = partial(_load, turns, session, session.load)  # type: ignore[method-assign]
    # Not by attribute: another middleware's `user` may be a property that loads it.
    user: Any = vars(request).get("user")
    if type(user) is SimpleLazyObject and user._wrapped is empty:
        request.user = SimpleLazyObject(partial(_evaluated, turns, user))  # type: ignore[assignment]


def _load(turns: Turns, session: Any, load: Callable[[], Any]) -> Any:
    with turns.turn() as waited:
        if waited and "_session_cache" in vars(session):
            return session._session_cache
        return load()


def _evaluated(turns: Turns, user: Any) -> Any:
    with turns.turn():
        bool(user)
        return user._wrapped
