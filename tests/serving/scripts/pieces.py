"""Responses in pieces, files, and clients that leave."""

from .base import Scenario, get

_STEPS = (
    get("/async-stream/"),
    get("/stream/"),
    get("/stream-books/"),
    get("/async-stream-books/"),
    get("/async-stream/", "head", method="HEAD"),
    get("/stream/", "head, sync", method="HEAD"),
    get("/broken-stream/"),
    get("/broken-from-generator/"),
    get("/from-asynchronous/"),
    get("/memory-file/"),
    get("/async-memory-file/"),
    get("/disk-file/"),
    get("/disk-file/", "head of a file", method="HEAD"),
    get("/memory-file/", "a range is not asked for", headers=(("range", "bytes=0-3"),)),
)

SCENARIOS = (
    Scenario("pieces", _STEPS, stack="none"),
    Scenario("pieces with default middleware", _STEPS),
    Scenario(
        "leaving",
        (
            get(
                "/echo/",
                "in the body",
                method="POST",
                body=(b"first", b"never sent"),
                disconnect="in the body",
            ),
            get("/async-text/", "after it"),
        ),
    ),
    Scenario(
        "leaving a stream",
        (
            get("/endless/", "in the response", disconnect="in the response"),
            get("/async-text/", "after it"),
        ),
        since=(5, 0),
    ),
)
