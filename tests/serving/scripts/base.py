"""A scenario: requests of one browser to one middleware stack."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlencode

import django

from ..client import Step


@dataclasses.dataclass(frozen=True)
class Scenario:
    """Requests in their order; each scenario begins with the same rows and without cookies.

    Args:
        stack: a name of ``STACKS``.
        settings: overridden meanwhile.
        atomic: whether ATOMIC_REQUESTS is on.
        since: the first Django that can answer it.
    """

    name: str
    steps: tuple[Step, ...]
    stack: str = "defaults"
    settings: tuple[tuple[str, Any], ...] = ()
    atomic: bool = False
    since: tuple[int, int] = (4, 2)

    @property
    def applies(self) -> bool:
        """Whether the Django that is installed can answer it."""
        return django.VERSION[:2] >= self.since


def get(path: str, name: str = "", **more: Any) -> Step:
    """Ask for a page; the test is named after it."""
    return Step(name or path.partition("?")[0].strip("/") or "root", path, **more)


def post(path: str, fields: dict[str, Any] | None = None, name: str = "", **more: Any) -> Step:
    """Send a form; ``{csrf}`` among its values becomes the token that the browser was given."""
    encoded = urlencode(fields or {}, doseq=True).replace("%7Bcsrf%7D", "{csrf}")
    more.setdefault("body", (encoded.encode(),))
    headers = (("content-type", "application/x-www-form-urlencoded"), *more.pop("headers", ()))
    named = name or f"post {path.strip('/')}"
    return Step(named, path, method="POST", headers=_with_length(headers, more["body"]), **more)


def _with_length(
    headers: tuple[tuple[str, str], ...], body: tuple[bytes, ...]
) -> tuple[tuple[str, str], ...]:
    """Give a length as browsers do, unless the token, whose length is 32, is not in it yet."""
    total = b"".join(body).replace(b"{csrf}", b"x" * 32)
    return (*headers, ("content-length", str(len(total))))


FORM_TOKEN = {"csrfmiddlewaretoken": "{csrf}"}


def log_in(who: str = "anna", prefix: str = "", **more: Any) -> tuple[Step, Step]:
    """Get a token, then log in."""
    fields = {"username": who, "password": "secret", **FORM_TOKEN}
    return (
        get("/csrf/form/", "login token"),
        post(f"/accounts/{prefix}login/", fields, f"{prefix}login", **more),
    )
