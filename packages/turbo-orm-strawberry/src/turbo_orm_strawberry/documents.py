"""Documents that were parsed and found valid before: most requests send one of a few."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from graphql import DocumentNode
from graphql.validation import specified_rules
from strawberry.types import ExecutionContext

if TYPE_CHECKING:
    from .guards.document import Measure

STANDARD = frozenset(specified_rules)
# Longer ones are somebody's own invention, and take memory.
LONGEST = 10_000


class Document:
    """A document, and whether the rules of GraphQL itself have nothing against it."""

    __slots__ = ("measure", "node", "valid")

    def __init__(self, node: DocumentNode) -> None:
        self.node = node
        self.valid = False
        # What the guards have found.
        self.measure: Measure | None = None


class Documents:
    """What one schema remembers, the last used at the end."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Document] = OrderedDict()

    def find(self, context: ExecutionContext) -> Document | None:
        """Return the document of a request if it is known.

        Args:
            context: of the execution.
        """
        key = _key(context)
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def remember(self, context: ExecutionContext, maximum: int) -> Document | None:
        """Remember the document of a request, and forget the one that was not used for longest.

        Args:
            context: of the execution; its document has been parsed.
            maximum: how many are remembered.
        """
        node = context.graphql_document
        if node is None or not context.query or len(context.query) > LONGEST:
            return None
        found = self._known[_key(context)] = Document(node)
        while len(self._known) > maximum:
            self._known.popitem(last=False)
        return found


_of_schemas: weakref.WeakKeyDictionary[Any, Documents] = weakref.WeakKeyDictionary()


def documents_of(schema: Any) -> Documents:
    """Return what a schema remembers.

    Args:
        schema: strawberry's.
    """
    found = _of_schemas.get(schema)
    if found is None:
        found = _of_schemas[schema] = Documents()
    return found


def spare_validation(context: ExecutionContext) -> None:
    """Leave only the rules that are not GraphQL's own, for a document that passed those before.

    Args:
        context: of the execution. Rules of the project, and those of guards, are heeded every time.
    """
    context.validation_rules = tuple(
        rule for rule in context.validation_rules if rule not in STANDARD
    )


def passes(context: ExecutionContext) -> bool:
    """Tell whether all rules of GraphQL's own were asked, and nothing was found.

    Args:
        context: of the execution, after its validation.
    """
    return not context.pre_execution_errors and set(context.validation_rules) >= STANDARD


def _key(context: ExecutionContext) -> Hashable:
    return context.query, tuple(sorted(context.parse_options.items()))
