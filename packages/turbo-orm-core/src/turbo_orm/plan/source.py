"""Source text under construction, and the reason not to write any."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

MAX_DEPTH = 90  # Python's own limit is 100


class NotExact(Exception):
    """What Django does with these rows cannot be said in generated code."""


@functools.lru_cache(maxsize=256)
def _compiled(text: str) -> CodeType:
    # Plans that differ in their conditions only have the same text: one code serves them all.
    return compile(text, "<turbo_orm.plan>", "exec")


class Source:
    """A function's text and the constants that it mentions.

    No text comes from data: names of variables are made here, and a string that is no identifier
    becomes a constant.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._constants: dict[str, Any] = {}
        self._depth = 0

    def add(self, *lines: str) -> None:
        """Append statements at the present depth."""
        indent = "    " * self._depth
        self._lines.extend(indent + line for line in lines)

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Open a block; what is added inside is its body.

        Raises:
            NotExact: Python allows no more blocks in blocks.
        """
        if self._depth == MAX_DEPTH:
            raise NotExact("nested too deeply for Python")
        self.add(head)
        self._depth += 1
        yield
        self._depth -= 1

    def constant(self, value: Any) -> str:
        """Return the name under which the function finds a value."""
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name

    def string(self, value: str) -> str:
        """Return an expression for a string of unknown origin."""
        return repr(value) if type(value) is str and value.isidentifier() else self.constant(value)

    def function(self, name: str, *, shared: bool = True) -> Callable[..., Any]:
        """Compile the text and return the function of that name.

        Args:
            name: the function's.
            shared: whether it may have the code of another function of the same text. Python
                adapts code to what it meets.
        """
        compiled = _compiled if shared else _compiled.__wrapped__
        exec(compiled("\n".join(self._lines)), self._constants)  # noqa: S102 -- the text is all ours, see the class
        return self._constants[name]  # type: ignore[no-any-return]
