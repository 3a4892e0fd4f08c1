"""What a document is like, whatever its variables are: how deep, and with how many aliases."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from .overlaps import overlaps_in
from .walk import Walk, Wanted


class Shape(NamedTuple):
    """What a selection set has inside, with the fragments that it spreads."""

    depth: int = 0
    aliases: int = 0


class Measure(NamedTuple):
    """What is known of a document."""

    # Of each operation, by its name.
    depths: dict[str, int]
    # Of all operations together.
    aliases: int
    # Pairs of fields that have to be compared, and after how many they were not counted further.
    overlaps: int
    most_overlaps: int


class ShapeWalk(Walk[Shape]):
    """Finds how deep selection sets are, and how many aliases they have.

    Args:
        document: what was parsed.

    Depth is counted as strawberry's ``QueryDepthLimiter`` does: without what is inside a field of
    the introspection. Aliases are counted as by its ``MaxAliasesLimiter``: again for every
    selection set that spreads their fragment.
    """

    def __init__(self, document: DocumentNode) -> None:
        super().__init__(document, Shape())

    def _step(self, selections: SelectionSetNode, parent: Any) -> Generator[Wanted, Shape, Shape]:
        depth = aliases = 0
        seen: set[str] = set()
        for node in selections.selections:
            if isinstance(node, FragmentSpreadNode):
                fragment = self.spread(node, seen)
                if fragment is not None:
                    inside = yield fragment.selection_set, None
                    depth, aliases = max(depth, inside.depth), aliases + inside.aliases
                continue
            field = node if isinstance(node, FieldNode) else None
            if field is not None and field.alias is not None:
                aliases += 1
            if node.selection_set is not None:  # type: ignore[attr-defined]
                inside = yield node.selection_set, None  # type: ignore[attr-defined]
                aliases += inside.aliases
                if field is None:
                    depth = max(depth, inside.depth)
                elif not field.name.value.startswith("__"):
                    depth = max(depth, 1 + inside.depth)
        return Shape(depth, aliases)


def measure(document: DocumentNode, most_overlaps: int) -> Measure:
    """Measure a document, in a time that grows with its length.

    Args:
        document: what was parsed; it needs not be valid.
        most_overlaps: after how many overlaps to stop counting them.
    """
    walk = ShapeWalk(document)
    depths = {}
    aliases = 0
    for operation in _operations(document):
        shape = walk.of(operation.selection_set)
        depths[operation.name.value if operation.name else "anonymous"] = shape.depth
        aliases += shape.aliases
    return Measure(depths, aliases, overlaps_in(document, most_overlaps), most_overlaps)


def _operations(document: DocumentNode) -> Iterator[OperationDefinitionNode]:
    return (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
