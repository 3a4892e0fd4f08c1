"""Sessions, messages and CSRF over several requests."""

from typing import Any

from .base import FORM_TOKEN, Scenario, get, post


def sessions(prefix: str, name: str, **more: Any) -> Scenario:
    return Scenario(
        name,
        (
            get("/session/read/", "nothing yet"),
            get(f"/session/{prefix}write/", "write"),
            get(f"/session/{prefix}write/", "write again"),
            get(f"/session/{prefix}read/", "read"),
            get(f"/session/{prefix}cycle/", "cycle"),
            get(f"/session/{prefix}write/", "write after the cycle"),
            get("/session/expire/", "expire"),
            get("/session/probe/", "probe"),
            get("/session/probe/", "probe again"),
            get(f"/session/{prefix}flush/", "flush"),
            get("/session/read/", "nothing left"),
        ),
        **more,
    )


def engine(name: str) -> tuple[tuple[str, Any], ...]:
    return (("SESSION_ENGINE", f"django.contrib.sessions.backends.{name}"),)


SCENARIOS = (
    sessions("", "sessions"),
    sessions("async-", "sessions, async", since=(5, 1)),
    sessions("", "sessions in the cache and the table", settings=engine("cached_db")),
    sessions(
        "async-",
        "sessions in the cache and the table, async",
        settings=engine("cached_db"),
        since=(5, 1),
    ),
    sessions("", "sessions in cookies", settings=engine("signed_cookies")),
    sessions("", "sessions saved every time", settings=(("SESSION_SAVE_EVERY_REQUEST", True),)),
    Scenario(
        "messages",
        (
            get("/messages/", "none"),
            get("/messages/add/"),
            get("/messages/"),
            get("/messages/", "shown once"),
            get("/messages/async-add/"),
            get("/messages/add/", "one more"),
            get("/messages/", "both"),
        ),
    ),
    Scenario(
        "messages in the session",
        (get("/messages/add/"), get("/messages/"), get("/messages/", "shown once")),
        settings=(("MESSAGE_STORAGE", "django.contrib.messages.storage.session.SessionStorage"),),
    ),
    Scenario(
        "csrf",
        (
            post("/csrf/form/", {"field": "x"}, "no cookie"),
            get("/csrf/form/"),
            post("/csrf/form/", {"field": "x", **FORM_TOKEN}, "good token"),
            post("/csrf/async-form/", {"field": "x", **FORM_TOKEN}, "good token, async"),
            post("/csrf/form/", {"field": "x"}, "token missing"),
            post("/csrf/async-form/", {"field": "x"}, "token missing, async"),
            post("/csrf/form/", {"csrfmiddlewaretoken": "x" * 32}, "wrong token"),
            post(
                "/csrf/async-form/",
                {"field": "x", **FORM_TOKEN},
                "bad origin",
                headers=(("origin", "https://elsewhere"),),
            ),
            post("/csrf/exempt/", {"field": "x"}),
            post("/csrf/protected/", {"field": "x"}),
            get("/csrf/ensured/"),
            get("/csrf/rotated/"),
            post("/csrf/form/", {"field": "x", **FORM_TOKEN}, "rotated token"),
        ),
    ),
    Scenario(
        "csrf token in the session",
        (
            get("/csrf/form/"),
            post("/csrf/form/", {"field": "x"}, "token missing"),
            get("/csrf/rotated/"),
        ),
        settings=(("CSRF_USE_SESSIONS", True),),
    ),
)
