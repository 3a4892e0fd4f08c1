"""How many nodes an operation asks for, as far as its pages say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)
from strawberry.relay import ConnectionExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import ExecutionContext
from strawberry_django.settings import strawberry_django_settings

SIZES = ("first", "last")


class Estimate:
    """Walks through an operation and multiplies the sizes of its pages.

    Args:
        context: of the execution.
        max_page_size: what a page may have at most; None for anything.
        max_nodes: what the operation may have at most; None for anything.
    """

    def __init__(
        self, context: ExecutionContext, max_page_size: int | None, max_nodes: int | None
    ) -> None:
        self._context = context
        schema: Any = context.schema
        self._schema = schema._schema
        self._max_page_size = max_page_size
        self._max_nodes = max_nodes
        document = context.graphql_document
        assert isinstance(document, DocumentNode)
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._operation = _operation(document, context.operation_name)
        self._variables = self._given_variables()

    def check(self) -> None:
        """Raise if the operation asks for too much.

        Raises:
            GraphQLError: one of its pages is too large, or all of them together are.
        """
        root = self._schema.get_root_type(self._operation.operation)
        nodes = self._nodes(self._operation.selection_set, root, 1)
        if self._max_nodes is not None and nodes > self._max_nodes:
            raise GraphQLError(
                f"The operation asks for up to {nodes} nodes; {self._max_nodes} are allowed. Ask "
                "for smaller pages, or for fewer lists inside lists.",
                self._operation,
            )

    def _given_variables(self) -> dict[str, Any]:
        given = dict(self._context.variables or {})
        for definition in self._operation.variable_definitions or ():
            name = definition.variable.name.value
            if name not in given and definition.default_value is not None:
                given[name] = value_from_ast_untyped(definition.default_value)
        return given

    def _nodes(self, selections: SelectionSetNode, parent: Any, around: int) -> int:
        """Return how many nodes the pages in a selection have, in so many objects around it."""
        total = 0
        for node, kind in self._fields(selections, parent):
            field = getattr(kind, "fields", {}).get(node.name.value)
            if field is None:
                continue
            size = self._size(node, field)
            inside = around if size is None else around * size
            total += 0 if size is None else inside
            if node.selection_set is not None:
                total += self._nodes(node.selection_set, get_named_type(field.type), inside)
        return total

    def _fields(self, selections: SelectionSetNode, parent: Any) -> Iterator[tuple[FieldNode, Any]]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node, parent
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields(node.selection_set, self._type(node, parent))
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                yield from self._fields(fragment.selection_set, self._type(fragment, parent))

    def _type(self, node: Any, parent: Any) -> Any:
        condition = node.type_condition
        return parent if condition is None else self._schema.get_type(condition.name.value)

    def _size(self, node: FieldNode, field: GraphQLField) -> int | None:
        """Return how many nodes a page asks for, None if the field has no pages."""
        given = {
            argument.name.value: value_from_ast_untyped(argument.value, self._variables)
            for argument in node.arguments or ()
        }
        if {"first", "after"} <= field.args.keys():
            asked = [given[name] for name in SIZES if isinstance(given.get(name), int)]
            return self._checked(node, max(asked)) if asked else self._connection_default(field)
        if "pagination" in field.args:
            page = given["pagination"] if isinstance(given.get("pagination"), dict) else {}
            limit = page.get("limit")
            return self._checked(node, limit) if isinstance(limit, int) else self._list_default()
        return None

    def _connection_default(self, field: GraphQLField) -> int:
        definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        for extension in getattr(definition, "extensions", ()):
            if isinstance(extension, ConnectionExtension) and extension.max_results is not None:
                return int(extension.max_results)
        return int(self._context.schema.config.relay_max_results)

    def _list_default(self) -> int:
        return int(strawberry_django_settings()["PAGINATION_DEFAULT_LIMIT"] or 1)

    def _checked(self, node: FieldNode, size: int) -> int:
        limit = self._max_page_size
        # strawberry-django takes a negative limit for none.
        if limit is not None and (size > limit or size < 0):
            raise GraphQLError(
                f"A page of {node.name.value!r} may have {limit} nodes, and {size} are asked for.",
                node,
            )
        return max(size, 0)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation that is executed; that there is one was checked before."""
    return next(
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (not name or (node.name is not None and node.name.value == name))
    )
