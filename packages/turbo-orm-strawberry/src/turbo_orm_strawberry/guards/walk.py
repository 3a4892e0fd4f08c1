"""Walks through the selection sets of a document, each of them once."""

from __future__ import annotations

import abc
from collections.abc import Generator, Hashable
from typing import Any, Generic, TypeAlias, TypeVar

from graphql import DocumentNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

Found = TypeVar("Found")
Wanted: TypeAlias = tuple[SelectionSetNode, Any]


class Walk(abc.ABC, Generic[Found]):
    """Computes a value for each selection set from the values of the sets inside it.

    Args:
        document: what was parsed; it needs not be valid.
        nothing: the value of a fragment inside itself. GraphQL forbids such documents.

    A selection set is visited once for each type that it is selected on, however many fragments
    lead there: a chain of 60 fragments that each spread the next one twice has 2**60 paths and 60
    selection sets. The walk does not recurse, so that nesting cannot exhaust the stack.
    """

    def __init__(self, document: DocumentNode, nothing: Found) -> None:
        self.fragments = fragments_of(document)
        # How many selection sets were visited, for tests.
        self.visited = 0
        self._nothing = nothing
        self._found: dict[Hashable, Found] = {}

    def of(self, selections: SelectionSetNode, parent: Any = None) -> Found:
        """Return the value of a selection set.

        Args:
            selections: the selection set.
            parent: the type that it is selected on, if that matters.
        """
        first = key = _key(selections, parent)
        # Those that were begun, the innermost last.
        steps = {key: self._step(selections, parent)}
        given: Any = None
        while steps:
            key, step = next(reversed(steps.items()))
            try:
                # A step that has not begun is sent None.
                wanted = step.send(given)
            except StopIteration as done:
                self.visited += 1
                del steps[key]
                given = self._found[key] = done.value
                continue
            key = _key(*wanted)
            if key in self._found:
                given = self._found[key]
            elif key in steps:
                given = self._nothing
            else:
                steps[key] = self._step(*wanted)
                given = None
        return self._found[first]

    def spread(self, node: FragmentSpreadNode, seen: set[str]) -> FragmentDefinitionNode | None:
        """Return a fragment the first time that a selection set spreads it.

        Args:
            node: the spread.
            seen: the names of those that the selection set has spread before.
        """
        name = node.name.value
        if name in seen:
            return None
        seen.add(name)
        return self.fragments.get(name)

    @abc.abstractmethod
    def _step(self, selections: SelectionSetNode, parent: Any) -> Generator[Wanted, Found, Found]:
        """Return the value of a selection set; yield what stands inside to get its value."""


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments of a document by their names.

    Args:
        document: what was parsed.
    """
    return {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


def _key(selections: SelectionSetNode, parent: Any) -> Hashable:
    # graphql-core compares nodes, and hashes them, with all that is in them.
    return id(selections), getattr(parent, "name", None)
