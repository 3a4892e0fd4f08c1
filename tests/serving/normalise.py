"""Replaces what differs from run to run by names that say what it was."""

from __future__ import annotations

import re

_WORD = r"(?<![\w-]){}(?![\w-])"
PATTERNS = (
    # The order matters: the longer and more particular first.
    (re.compile(r"md5\$\w+\$[0-9a-f]{32}"), "<password>"),
    (re.compile(r"[\w.-]{10,}:\w{6}:[\w-]{43}"), "<signed data>"),
    (re.compile(r"(?<=:)\w{6}:[\w-]{43}"), "<signature>"),
    (re.compile(r"s\d+_x\d+"), "<savepoint>"),
    (re.compile(r"_django_curs_\d+_\w+?_\d+"), "<cursor>"),
    (re.compile(r"(?<=/tmp/)tmp\w{8}"), "<file>"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "<date>"),
    (re.compile(_WORD.format(r"[A-Za-z0-9]{64}")), "<csrf token>"),
    (re.compile(_WORD.format(r"(?=\w*[A-Z])[A-Za-z0-9]{32}")), "<csrf secret>"),
    # Pickled responses in the cache hold the dates above.
    (re.compile(r"gA[SW]V[\w+/]+=*"), "<pickled>"),
    (re.compile(r"(?<=^Age: )\d+"), "<seconds>"),
    (re.compile(r"\b0x[0-9a-f]{6,}\b"), "<address>"),
)
KEY = re.compile(_WORD.format(r"[a-z0-9]{32}"))


class Normaliser:
    """Numbers the keys of one scenario, so that a key that is used again is seen to be."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        for pattern, name in PATTERNS:
            text = pattern.sub(name, text)
        return KEY.sub(self._number, text)

    def _number(self, match: re.Match[str]) -> str:
        return self._keys.setdefault(match[0], f"<key {len(self._keys) + 1}>")
