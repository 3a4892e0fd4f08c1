"""One plan: a compiled statement, what binds arguments to it, and what becomes of its rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .bind import Binder, DoesNotFit
from .guards import Guard
from .parts import Parts
from .record import Prepared
from .source import Source
from .tracing import LENGTH_MARK, START_MARK

if TYPE_CHECKING:
    from .cache import Node


class Limits(NamedTuple):
    """Where the bounds of the slice are.

    Args:
        first: the number of the value that is its start; its end follows.
        text: the statement as Django writes it, with marks for both.
    """

    first: int
    text: str


Bind = Callable[[tuple[Any, ...]], Sequence[Any]]

# What stands for the bounds among the pieces of the parameters.
START, LENGTH = "start", "length"


@dataclasses.dataclass(eq=False)
class Plan:
    """How to execute the querysets of one shape on one database.

    Args:
        sql: the statement, with placeholders also where Django writes LIMIT and OFFSET as text.
        bindings: for each compiled lookup the number of its value and its binder.
        pieces: what the parameters consist of, in order: tuples of constants, numbers of
            bindings, ``START`` and ``LENGTH``.
        twins: pairs of values of which Django writes only one condition if they are equal.
        limits: where the bounds of the slice are, None if it has none that change.
        compiler: the compiler that made it, to which Django's iterables turn.
        parts: the classes that the statement was made by.
        container: the type of sequence in which Django gives parameters to a cursor.
        connected: whether binding gives the connection to code of the project's.
    """

    sql: str
    bindings: Sequence[tuple[int, Binder]]
    pieces: tuple[Any, ...]
    twins: Sequence[tuple[int, int]]
    limits: Limits | None
    compiler: Any
    parts: Parts
    container: Callable[[Sequence[Any]], Sequence[Any]] = tuple
    connected: bool = False
    # The fast way from rows to objects, None if Django's is taken.
    hydrator: Any = None
    iterable_class: Any = None
    # Whether no code of the project's makes the result of a method such as ``count()``.
    pure: bool = True
    # Tells whether the methods of its parts are Django's own; not before all parts are known.
    intact: Guard = bool
    # The same of what executes any such statement.
    executed: Guard = bool
    # Where it is kept: a node of the cache and the key there.
    place: tuple[Node, Any] | None = None

    def __post_init__(self) -> None:
        # Returns the parameters for a chain's values; raises if Django would write other SQL.
        self.bind: Bind = self._generated(as_django=False)
        # The same without the limits, which Django writes as text.
        self.bind_as_django: Bind = (
            self.bind if self.limits is None else self._generated(as_django=True)
        )

    def _generated(self, *, as_django: bool) -> Bind:
        """Return a function of one expression: it runs for each query."""
        source = Source()
        parts = [self._part(piece, source, as_django=as_django) for piece in self.pieces]
        with source.block("def bind(v):"):
            for one, other in self.twins:
                raw = source.constant(_raw)
                with source.block(f"if {raw}(v[{one}]) == {raw}(v[{other}]):"):
                    source.add(f"raise {source.constant(DoesNotFit)}")
            source.add(f"return ({''.join(parts)})")
        return source.function("bind")

    def _part(self, piece: Any, source: Source, *, as_django: bool) -> str:
        if type(piece) is int:
            slot, binder = self.bindings[piece]
            return f"*{source.constant(binder)}(v[{slot}]), "
        if type(piece) is tuple:
            return f"*{source.constant(piece)}, "
        if as_django:
            return ""
        assert self.limits is not None
        first = self.limits.first
        return f"v[{first}], " if piece is START else f"v[{first + 1}] - v[{first}], "

    def _slice(self, values: tuple[Any, ...]) -> tuple[int, int]:
        assert self.limits is not None
        start, stop = values[self.limits.first : self.limits.first + 2]
        return start, stop - start

    def sql_as_django(self, values: tuple[Any, ...]) -> str:
        """Return the statement with its limits as text, as Django writes it."""
        if self.limits is None:
            return self.sql
        start, length = self._slice(values)
        text = self.limits.text.replace(str(LENGTH_MARK), str(length))
        return text.replace(str(START_MARK), str(start))


def _raw(value: Any) -> Any:
    return value.raw if type(value) is Prepared else value
