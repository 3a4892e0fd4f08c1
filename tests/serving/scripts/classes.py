"""Class-based views."""

from .base import FORM_TOKEN, Scenario, get, post

SCENARIOS = (
    Scenario(
        "classes",
        (
            get("/classes/methods/"),
            get("/classes/methods/", "head", method="HEAD"),
            get("/classes/methods/", "options", method="OPTIONS"),
            get("/classes/methods/", "put", method="PUT"),
            get("/classes/async-methods/"),
            get("/classes/async-methods/", "async head", method="HEAD"),
            get("/classes/async-methods/", "async options", method="OPTIONS"),
            get("/classes/async-methods/", "async put", method="PUT", body=(b"bo", b"dy")),
            get("/classes/async-methods/", "async delete", method="DELETE"),
            get("/classes/async-methods/", "async patch", method="PATCH"),
            get("/classes/async-writers/1/"),
            get("/classes/async-writers/9/", "no such writer"),
            get("/classes/page/"),
            get("/classes/callable/"),
            get("/classes/async-callable/"),
            get("/classes/elsewhere/1/?kept=1"),
        ),
        stack="none",
    ),
    Scenario(
        "generic views",
        (
            get("/classes/books/"),
            get("/classes/books/?page=2", "second page"),
            get("/classes/books/?page=9", "no such page"),
            get("/classes/books/1/"),
            get("/classes/books/99/"),
            get("/classes/books/new/"),
            post("/classes/books/new/", {"title": "", **FORM_TOKEN}, "create, invalid"),
            post(
                "/classes/books/new/",
                {"title": "made", "pages": 5, "writer": 2, "topics": [1, 2], **FORM_TOKEN},
                "create",
            ),
            get("/classes/books/4/", "created"),
            get("/classes/books/4/change/"),
            post("/classes/books/4/change/", {"title": "new", "pages": 6, **FORM_TOKEN}, "change"),
            get("/classes/books/4/delete/"),
            post("/classes/books/4/delete/", FORM_TOKEN, "delete"),
            get("/classes/books/4/", "deleted"),
            get("/classes/feedback/"),
            post("/classes/feedback/", {"text": "x" * 21, **FORM_TOKEN}, "feedback, invalid"),
            post("/classes/feedback/", {"text": "fine", **FORM_TOKEN}, "feedback"),
            get("/classes/private-page/"),
        ),
    ),
)
