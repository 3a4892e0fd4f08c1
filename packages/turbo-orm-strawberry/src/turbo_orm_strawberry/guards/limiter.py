"""The extension that limits documents, before they are validated."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLError
from strawberry.types import ExecutionContext

from ..documents import documents_of
from ..instances import OperationExtension
from .document import Measure, measure

MAX_DEPTH = 10
MAX_ALIASES = 15
MAX_TOKENS = 1_000
MAX_OVERLAPS = 5_000


class DocumentLimiter(OperationExtension):
    """Refuses documents that are too long, too deep, or that repeat too much.

    Args:
        max_depth: how deep selections may be nested; None for any depth.
        max_aliases: how many aliases the operations may have; None for any number.
        max_tokens: how long a document may be; None for any length.
        max_overlaps: how many pairs of fields may have one response name at one place; None for
            any number.
        execution_context: strawberry's.

    It takes the place of strawberry's ``QueryDepthLimiter``, ``MaxAliasesLimiter`` and
    ``MaxTokensLimiter``. The first two follow every path through the fragments, of which a short
    document can have 2**60; this one visits each selection set once, and each document once if
    ``TurboExtension`` remembers documents.
    """

    def __init__(
        self,
        *,
        max_depth: int | None = MAX_DEPTH,
        max_aliases: int | None = MAX_ALIASES,
        max_tokens: int | None = MAX_TOKENS,
        max_overlaps: int | None = MAX_OVERLAPS,
        execution_context: ExecutionContext | None = None,
    ) -> None:
        super().__init__(execution_context=execution_context)
        self.max_depth = max_depth
        self.max_aliases = max_aliases
        self.max_tokens = max_tokens
        self.max_overlaps = max_overlaps

    def on_operation(self) -> Iterator[None]:
        """Let the parser stop after so many tokens, as strawberry's ``MaxTokensLimiter`` does."""
        if self.max_tokens is not None:
            self.execution_context.parse_options["max_tokens"] = self.max_tokens
        yield

    def on_validate(self) -> Iterator[None]:
        """Refuse the document without validating it, or let it be validated.

        Raises:
            GraphQLError: it is too deep, or repeats too much, and another extension has forgotten
                the error.
        """
        context = self.execution_context
        errors = self._errors()
        if not errors:
            yield
            return
        # No other extension shall validate it either.
        context.validation_rules = ()
        context.pre_execution_errors = errors
        yield
        if not context.pre_execution_errors:
            raise errors[0]

    def _errors(self) -> list[GraphQLError]:
        found = self._measure()
        errors = []
        if self.max_depth is not None:
            errors += [
                GraphQLError(f"'{name}' exceeds maximum operation depth of {self.max_depth}")
                for name, depth in found.depths.items()
                if depth > self.max_depth
            ]
        if self.max_aliases is not None and found.aliases > self.max_aliases:
            errors.append(
                GraphQLError(f"{found.aliases} aliases found. Allowed: {self.max_aliases}")
            )
        if self.max_overlaps is not None and found.overlaps > self.max_overlaps:
            errors.append(
                GraphQLError(
                    f"More than {self.max_overlaps} pairs of fields have the same response name at "
                    "the same place. Select each field once."
                )
            )
        return errors

    def _measure(self) -> Measure:
        context = self.execution_context
        document = context.graphql_document
        assert document is not None
        most = self.max_overlaps or 0
        known = documents_of(context.schema).find(context)
        if known is None or known.node is not document:
            return measure(document, most)
        if known.measure is None or known.measure.most_overlaps != most:
            known.measure = measure(document, most)
        return known.measure
