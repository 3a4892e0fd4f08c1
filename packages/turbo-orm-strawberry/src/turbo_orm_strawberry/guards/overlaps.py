"""How many pairs of fields the validation of a document compares.

Two fields with one response name at one place must be the same field. graphql-core's
``OverlappingFieldsCanBeMergedRule`` compares each pair of them: ``{a{x} a{x} …}`` with 240 fields
has 1,200 characters and 57,000 pairs. https://nvd.nist.gov/vuln/detail/CVE-2023-26144
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from .walk import fragments_of

# To look at a selection takes about this part of the time that comparing a pair takes.
SELECTIONS_PER_PAIR = 4


def overlaps_in(document: DocumentNode, most: int) -> int:
    """Return how many pairs of fields, and of fragments, are compared.

    Args:
        document: what was parsed; it needs not be valid.
        most: after how many to stop counting, so that counting takes a bounded time.
    """
    fragments = fragments_of(document)
    # Sets of selection sets whose fields are merged, because the fields that have them are.
    merged: list[list[SelectionSetNode]] = [
        [node.selection_set]
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    seen: set[frozenset[int]] = set()
    pairs = of_fragments = selections = 0
    while merged and pairs + of_fragments + selections // SELECTIONS_PER_PAIR <= most:
        together = merged.pop()
        key = frozenset(map(id, together))
        if key in seen:
            continue
        seen.add(key)
        fields, spreads, looked_at = _collected(together, fragments)
        selections += looked_at
        # graphql-core remembers which fragments it has compared.
        of_fragments = max(of_fragments, _pairs(spreads))
        for same in fields.values():
            pairs += _pairs(len(same))
            inside = [node.selection_set for node in same if node.selection_set is not None]
            if inside:
                merged.append(inside)
    return pairs + of_fragments + selections // SELECTIONS_PER_PAIR


def _collected(
    together: Iterable[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode]
) -> tuple[dict[str, list[FieldNode]], int, int]:
    """Return the fields by their response names, how many fragments have them, and selections."""
    fields: defaultdict[str, list[FieldNode]] = defaultdict(list)
    spread: set[str] = set()
    selections = 0
    rest = list(together)
    while rest:
        for node in rest.pop().selections:
            selections += 1
            if isinstance(node, FieldNode):
                fields[(node.alias or node.name).value].append(node)
            elif not isinstance(node, FragmentSpreadNode):
                rest.append(node.selection_set)  # type: ignore[attr-defined]
            elif node.name.value not in spread:
                spread.add(node.name.value)
                fragment = fragments.get(node.name.value)
                if fragment is not None:
                    rest.append(fragment.selection_set)
    return fields, len(spread), selections


def _pairs(number: int) -> int:
    return number * (number - 1) // 2
