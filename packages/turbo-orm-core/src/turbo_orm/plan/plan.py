"""One plan: a compiled statement, what binds arguments to it, and what becomes of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .bind import Binder, DoesNotFit
from .record import Prepared
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


# What stands for the bounds among the pieces of the parameters.
START, LENGTH = "start", "length"


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
        container: the type of sequence in which Django gives parameters to a cursor.
    """

    __slots__ = (
        *("bindings", "compiler", "container", "hydrator", "iterable_class", "limits", "names", "pieces"),
        *("place", "single", "sql", "twins"),
    )

    def __init__(
        self,
        sql: str,
        bindings: Sequence[tuple[int, Binder]],
        pieces: Sequence[Any],
        twins: Sequence[tuple[int, int]],
        limits: Limits | None,
        compiler: Any,
        container: Any = tuple,
    ) -> None:
        self.sql = sql
        self.bindings = tuple(bindings)
        self.pieces = tuple(pieces)
        self.twins = tuple(twins)
        self.limits = limits
        self.compiler = compiler
        self.container = container
        # The fast way from rows to objects, None if Django's is taken.
        self.hydrator: Any = None
        self.iterable_class: Any = None
        # Where it is kept: a node of the cache and the key there.
        self.place: tuple[Node, Any]
        self.single = self.pieces == (0,)

    def bind(self, values: tuple[Any, ...], *, as_django: bool = False) -> Sequence[Any]:
        """Return the parameters for a chain's values.

        Args:
            values: the chain's.
            as_django: leave out the limits, which Django writes as text.

        Raises:
            DoesNotFit: Django would write other SQL for them.
            Exception: what a lookup or field of Django's raises for them.
        """
        if self.single:
            slot, binder = self.bindings[0]
            return binder(values[slot])
        for one, other in self.twins:
            if _raw(values[one]) == _raw(values[other]):
                raise DoesNotFit
        bound = [binder(values[slot]) for slot, binder in self.bindings]
        params: list[Any] = []
        for piece in self.pieces:
            if type(piece) is int:
                params.extend(bound[piece])
            elif type(piece) is tuple:
                params.extend(piece)
            elif not as_django:
                start, length = self._slice(values)
                params.append(start if piece is START else length)
        return params

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
