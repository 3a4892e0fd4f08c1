"""The extension that limits pages and the number of nodes."""

from __future__ import annotations

from collections.abc import Iterator

from strawberry.types import ExecutionContext

from ..instances import OperationExtension
from .budget import Budget, budget
from .estimate import Estimate

MAX_PAGE_SIZE = 100
MAX_NODES = 5_000


class SizeLimiter(OperationExtension):
    """Refuses operations that ask for more rows than they should.

    Args:
        max_page_size: what ``first``, ``last`` and ``limit`` may say at most; None for anything.
        max_nodes: how many objects an operation may fetch; None for any number.
        max_list_size: how many items a list in arguments may have, such as ``ids`` and
            ``inList``; None for any number.
        execution_context: strawberry's.

    Before anything is fetched the pages that the operation asks for are multiplied, each with those
    around it. What lists without pages bring is counted when it comes.
    """

    def __init__(
        self,
        *,
        max_page_size: int | None = MAX_PAGE_SIZE,
        max_nodes: int | None = MAX_NODES,
        max_list_size: int | None = None,
        execution_context: ExecutionContext | None = None,
    ) -> None:
        super().__init__(execution_context=execution_context)
        self.max_page_size = max_page_size
        self.max_nodes = max_nodes
        self.max_list_size = max_list_size

    def on_execute(self) -> Iterator[None]:
        """Refuse the operation, or count what it fetches.

        Raises:
            GraphQLError: the operation asks for too much.
        """
        Estimate(
            self.execution_context, self.max_page_size, self.max_nodes, self.max_list_size
        ).check()
        if self.max_nodes is None:
            yield
            return
        token = budget.set(Budget(self.max_nodes))
        try:
            yield
        finally:
            budget.reset(token)
