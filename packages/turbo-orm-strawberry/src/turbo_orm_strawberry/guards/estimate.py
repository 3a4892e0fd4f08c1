"""How many nodes an operation asks for, as far as its pages say so."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
    get_named_type,
    get_operation_ast,
)
from strawberry.types import ExecutionContext

from .lists import longest_list
from .pages import default_size, size_of
from .variables import Variables
from .walk import Walk, Wanted


class Estimate(Walk[int]):
    """Walks through an operation and multiplies the sizes of its pages.

    Args:
        context: of the execution; its document is valid.
        max_page_size: what a page may have at most; None for anything.
        max_nodes: what the operation may have at most; None for anything.
        max_list_size: how many items a list in arguments may have; None for any number.

    The value of a selection set is how many nodes the pages inside have for each object that is
    selected on.
    """

    def __init__(
        self,
        context: ExecutionContext,
        max_page_size: int | None,
        max_nodes: int | None,
        max_list_size: int | None = None,
    ) -> None:
        document = context.graphql_document
        assert isinstance(document, DocumentNode)
        super().__init__(document, 0)
        schema: Any = context.schema
        self._strawberry_schema = schema
        self._schema = schema._schema
        self._max_page_size = max_page_size
        self._max_nodes = max_nodes
        self._max_list_size = max_list_size
        operation = get_operation_ast(document, context.operation_name)
        assert operation is not None
        self._operation: OperationDefinitionNode = operation
        self._variables = Variables(self._schema, operation, context.variables)

    def check(self) -> None:
        """Raise if the operation asks for too much.

        Raises:
            GraphQLError: one of its pages is too large, or all of them together are, or one of the
                lists in its arguments is too long.
        """
        nodes = self.nodes()
        if self._max_nodes is not None and nodes > self._max_nodes:
            raise GraphQLError(
                f"The operation asks for up to {nodes} nodes; {self._max_nodes} are allowed. Ask "
                "for smaller pages, or for fewer lists inside lists.",
                self._operation,
            )

    def nodes(self) -> int:
        """Return how many nodes the operation asks for.

        Raises:
            GraphQLError: one of its pages is too large, or one of its lists too long.
        """
        if self._variables.refused:
            # The execution says so.
            return 0
        root = self._schema.get_root_type(self._operation.operation)
        return self.of(self._operation.selection_set, root)

    def _step(self, selections: SelectionSetNode, parent: Any) -> Generator[Wanted, int, int]:
        total = 0
        seen: set[str] = set()
        for node in selections.selections:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                field = getattr(parent, "fields", {}).get(node.name.value)
                if field is None:
                    continue
                size = self._size(node, field)
                inside = 0
                if node.selection_set is not None:
                    inside = yield node.selection_set, get_named_type(field.type)
                total += inside if size is None else size * (1 + inside)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.spread(node, seen)
                if fragment is not None:
                    total += yield fragment.selection_set, self._type(fragment, parent)
            else:
                total += yield node.selection_set, self._type(node, parent)  # type: ignore[attr-defined]
        return total

    def _type(self, node: Any, parent: Any) -> Any:
        condition = node.type_condition
        return parent if condition is None else self._schema.get_type(condition.name.value)

    def _is_included(self, node: Any) -> bool:
        """Tell whether ``@skip`` and ``@include`` leave a selection in."""
        if not node.directives:
            return True
        variables = self._variables.values
        try:
            skip = get_directive_values(GraphQLSkipDirective, node, variables)
            include = get_directive_values(GraphQLIncludeDirective, node, variables)
        except GraphQLError:
            # The execution says so.
            return True
        return not (skip and skip["if"]) and (include is None or bool(include["if"]))

    def _size(self, node: FieldNode, field: GraphQLField) -> int | None:
        """Return how many nodes a page asks for, None if the field has no pages."""
        if not field.args:
            return None
        try:
            given = get_argument_values(field, node, self._variables.values)
        except GraphQLError:
            # The execution does not call the resolver, and says so.
            return None
        self._check_lists(node, field, given)
        asked = size_of(field, given)
        if asked is None:
            return default_size(self._strawberry_schema, field)
        limit = self._max_page_size
        # strawberry-django takes a negative limit for none.
        if limit is not None and (asked > limit or asked < 0):
            raise GraphQLError(
                f"A page of {node.name.value!r} may have {limit} nodes, and {asked} are asked for.",
                node,
            )
        return max(asked, 0)

    def _check_lists(self, node: FieldNode, field: GraphQLField, given: dict[str, Any]) -> None:
        limit = self._max_list_size
        if limit is None:
            return
        longest = longest_list(field, given)
        if longest > limit:
            raise GraphQLError(
                f"A list in the arguments of {node.name.value!r} may have {limit} items, and it "
                f"has {longest}.",
                node,
            )
