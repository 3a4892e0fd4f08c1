"""Bodies of every size, whole and in pieces."""

from ..client import Step
from .base import Scenario, get, post

BOUNDARY = "the-boundary"
MULTIPART = ("content-type", f"multipart/form-data; boundary={BOUNDARY}")


def multipart(name: str, path: str, size: int, *, pieces: int = 1, end: bool = True) -> Step:
    """Send a field and a file."""
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="field"\r\n\r\nvälue\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode() + b"0123456789" * (size // 10)
    if end:
        body += f"\r\n--{BOUNDARY}--\r\n".encode()
    each = -(-len(body) // pieces)
    return Step(
        name,
        path,
        method="POST",
        headers=(MULTIPART, ("content-length", str(len(body)))),
        body=tuple(body[start : start + each] for start in range(0, len(body), each)),
    )


_JSON = (("content-type", "application/json"),)

_FILES = tuple(
    Scenario(
        f"uploads, {stack}",
        (
            multipart("small", "/upload/", 1000),
            multipart("small, async", "/async-upload/", 1000),
            multipart("large", "/upload/", 3_000_000, pieces=50),
            multipart("large, async", "/async-upload/", 3_000_000, pieces=50),
            multipart("in one message", "/async-upload/", 3_000_000),
            multipart("without its end", "/upload/", 1000, end=False),
            Step(
                "without a boundary",
                "/async-upload/",
                method="POST",
                headers=(("content-type", "multipart/form-data"), ("content-length", "3")),
                body=(b"abc",),
            ),
            Step(
                "a length that is no number",
                "/upload/",
                method="POST",
                headers=(MULTIPART, ("content-length", "x")),
                body=(b"abc",),
            ),
        ),
        stack=stack,
    )
    for stack in ("none", "defaults")
)
SCENARIOS = (
    *_FILES,
    Scenario(
        "bodies",
        (
            get("/read-parts/", method="PUT", body=(b"one", b"two", b"", b"three")),
            get("/read-lines/", method="PUT", body=(b"one\ntw", b"o\nthree")),
            get("/read-body/", method="PUT", headers=_JSON, body=(b'{"a": ', b"1}")),
            get("/read-body/", "no body", method="PUT"),
            get("/read-body/", "a body in a get", body=(b"body",)),
            get("/read-body/", "3 MB", method="PUT", body=(b"x" * 1_000_000,) * 3),
            get(
                "/read-body/",
                "more than is allowed",
                method="PUT",
                headers=(("content-length", "3000000"),),
                body=(b"x" * 1_000_000,) * 3,
            ),
            get(
                "/read-lines/",
                "lines of a spooled body",
                method="PUT",
                body=(b"x" * 999 + b"\n",) * 3000,
            ),
            post("/echo/", {f"field{n}": n for n in range(1100)}, "too many fields"),
            post("/async-echo/", {f"field{n}": n for n in range(1100)}, "too many fields, async"),
            post("/echo/", name="not utf-8", body=(b"a=%FF&b=\xff",)),
        ),
        stack="none",
    ),
    Scenario(
        "forms",
        (
            post("/plain-form/", {"title": "t", "pages": 1, "writer": 1, "topics": [1, 2]}),
            post("/plain-form/", {"title": "t", "writer": 99, "topics": [1, 77]}, "invalid"),
            post("/plain-form/", {}, "empty"),
        ),
    ),
)
