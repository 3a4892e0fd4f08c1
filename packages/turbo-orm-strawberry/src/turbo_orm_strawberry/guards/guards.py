"""The limits, with defaults for a public endpoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from strawberry.extensions import SchemaExtension

from .limiter import MAX_ALIASES, MAX_DEPTH, MAX_OVERLAPS, MAX_TOKENS, DocumentLimiter
from .sizes import MAX_NODES, MAX_PAGE_SIZE, SizeLimiter
from .times import TimeLimiter


def guards(
    *,
    max_page_size: int | None = MAX_PAGE_SIZE,
    max_nodes: int | None = MAX_NODES,
    max_depth: int | None = MAX_DEPTH,
    max_aliases: int | None = MAX_ALIASES,
    max_tokens: int | None = MAX_TOKENS,
    max_overlaps: int | None = MAX_OVERLAPS,
    max_list_size: int | None = None,
    timeout: float | None = None,
) -> list[Callable[[], SchemaExtension]]:
    """Return the extensions that a public endpoint should have.

    Args:
        max_page_size: what ``first``, ``last`` and ``limit`` may say at most.
        max_nodes: how many objects an operation may fetch.
        max_depth: how deep its selections may be nested, as with strawberry's
            ``QueryDepthLimiter``.
        max_aliases: how many aliases it may have, as with strawberry's ``MaxAliasesLimiter``.
        max_tokens: how long its document may be, as with strawberry's ``MaxTokensLimiter``.
        max_overlaps: how many pairs of its fields may have one response name at one place: GraphQL
            compares each pair.
        max_list_size: how many items a list in its arguments may have, such as ``ids`` and
            ``inList``.
        timeout: seconds that its execution may take; its queries are cancelled then.

    Returns:
        Factories for ``strawberry.Schema(extensions=[*guards(), ...])``. What is None has no limit.
        Put them first, so that nothing is done for an operation that is refused.
    """
    found: list[Callable[[], SchemaExtension]] = []
    if any(most is not None for most in (max_depth, max_aliases, max_tokens, max_overlaps)):
        documents = partial(
            DocumentLimiter,
            max_depth=max_depth,
            max_aliases=max_aliases,
            max_tokens=max_tokens,
            max_overlaps=max_overlaps,
        )
        found.append(documents)
    if any(most is not None for most in (max_page_size, max_nodes, max_list_size)):
        sizes = partial(
            SizeLimiter,
            max_page_size=max_page_size,
            max_nodes=max_nodes,
            max_list_size=max_list_size,
        )
        found.append(sizes)
    if timeout is not None:
        found.append(partial(TimeLimiter, timeout=timeout))
    return found
