"""The limits, with defaults for a public endpoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from strawberry.extensions import (
    MaxAliasesLimiter,
    MaxTokensLimiter,
    QueryDepthLimiter,
    SchemaExtension,
)

from .sizes import MAX_NODES, MAX_PAGE_SIZE, SizeLimiter


def guards(
    *,
    max_page_size: int | None = MAX_PAGE_SIZE,
    max_nodes: int | None = MAX_NODES,
    max_depth: int | None = 10,
    max_aliases: int | None = 15,
    max_tokens: int | None = 1_000,
) -> list[Callable[[], SchemaExtension]]:
    """Return the extensions that a public endpoint should have.

    Args:
        max_page_size: what ``first``, ``last`` and ``limit`` may say at most.
        max_nodes: how many objects an operation may fetch.
        max_depth: how deep its selections may be nested; strawberry's ``QueryDepthLimiter``.
        max_aliases: how many aliases it may have; strawberry's ``MaxAliasesLimiter``.
        max_tokens: how long its document may be; strawberry's ``MaxTokensLimiter``.

    Returns:
        Factories for ``strawberry.Schema(extensions=[*guards(), ...])``. What is None has no limit.
    """
    found: list[Callable[[], SchemaExtension]] = []
    if max_tokens is not None:
        found.append(partial(MaxTokensLimiter, max_token_count=max_tokens))
    if max_depth is not None:
        found.append(partial(QueryDepthLimiter, max_depth=max_depth))
    if max_aliases is not None:
        found.append(partial(MaxAliasesLimiter, max_alias_count=max_aliases))
    if max_page_size is not None or max_nodes is not None:
        found.append(partial(SizeLimiter, max_page_size=max_page_size, max_nodes=max_nodes))
    return found
