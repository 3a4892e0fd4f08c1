"""Logging in and out, and what that allows."""

from .base import FORM_TOKEN, Scenario, get, log_in, post

SCENARIOS = (
    Scenario(
        "nobody",
        (
            get("/accounts/who/"),
            get("/accounts/private/"),
            get("/accounts/allowed/"),
            get("/accounts/tested/"),
            get("/accounts/forbidden/"),
            get("/accounts/permissions/"),
            get("/classes/private-page/"),
            get("/accounts/logout/"),
        ),
    ),
    Scenario(
        "anna",
        (
            get("/session/write/"),
            *log_in("anna"),
            get("/accounts/who/"),
            get("/accounts/private/"),
            get("/accounts/allowed/"),
            get("/accounts/tested/"),
            get("/accounts/forbidden/"),
            get("/accounts/permissions/"),
            get("/classes/private-page/"),
            get("/templated/context/"),
            get("/session/read/", "the session is kept"),
            post("/accounts/change-password/", {"password": "new", **FORM_TOKEN}),
            get("/accounts/who/", "still known"),
            get("/accounts/logout/"),
            get("/accounts/who/", "unknown again"),
        ),
    ),
    Scenario(
        "bert",
        (
            *log_in("bert"),
            get("/accounts/allowed/"),
            get("/accounts/tested/"),
            get("/accounts/forbidden/"),
        ),
    ),
    Scenario("a stranger", log_in("nobody")),
    Scenario("somebody inactive", log_in("gone")),
    Scenario(
        "nobody, async",
        (
            get("/accounts/async-who/"),
            get("/accounts/async-permissions/"),
            get("/accounts/async-logout/"),
            *log_in("nobody", "async-"),
        ),
        since=(5, 2),
    ),
    Scenario(
        "anna, async",
        (
            get("/session/async-write/"),
            *log_in("anna", "async-"),
            get("/accounts/async-who/"),
            get("/accounts/async-private/"),
            get("/accounts/async-allowed/"),
            get("/accounts/async-permissions/"),
            get("/accounts/who/", "sync too"),
            get("/accounts/async-logout/"),
            get("/accounts/async-who/", "unknown again"),
            get("/accounts/async-private/", "sent away"),
        ),
        since=(5, 2),
    ),
)
