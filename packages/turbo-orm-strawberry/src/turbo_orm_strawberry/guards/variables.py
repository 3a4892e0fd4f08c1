"""The variables of an operation, as its execution will see them."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLSchema, OperationDefinitionNode, get_variable_values


class Variables:
    """Coerces the variables of an operation: ``1000.0`` for an ``Int`` is 1000.

    Args:
        schema: graphql-core's.
        operation: what will be executed.
        given: what the client has sent.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        given: dict[str, Any] | None,
    ) -> None:
        found = get_variable_values(schema, operation.variable_definitions or (), given or {})
        # A list of errors: GraphQL executes nothing then.
        self.refused = isinstance(found, list)
        # A dictionary in graphql-core 3.2, an object in 3.3: for its own functions only.
        self.values: Any = found
