"""How many nodes an operation may still fetch."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.db.models import QuerySet
from graphql import GraphQLError

budget: ContextVar[Budget | None] = ContextVar("turbo_orm_strawberry_budget", default=None)


class Budget:
    """Counts the nodes of one operation.

    Args:
        maximum: how many it may fetch.
    """

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.left = maximum

    def spend(self, nodes: int) -> None:
        """Count nodes that were fetched.

        Args:
            nodes: how many.

        Raises:
            GraphQLError: they are more than were left.
        """
        self.left -= nodes
        if self.left < 0:
            raise GraphQLError(
                f"The operation fetched more than the {self.maximum} nodes that are allowed. Ask "
                "for smaller pages, or for fewer lists inside lists."
            )

    def bounded(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return a queryset that fetches one row more than are left, at most.

        Args:
            queryset: any; one that has a limit, or its rows, already is returned as it is.
        """
        if queryset._result_cache is not None or queryset.query.is_sliced:
            return queryset
        return queryset[: max(self.left, 0) + 1]


def current_budget() -> Budget | None:
    """Return the budget of the operation that this code runs for, None if it has none."""
    return budget.get()
