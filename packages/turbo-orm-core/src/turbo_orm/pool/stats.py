"""What a pool can tell of itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class PoolStats:
    """One moment of one pool; the counters run since it was opened.

    Args:
        alias: the database alias.
        min_size: connections kept open.
        max_size: connections at the most.
        size: connections open now or being opened.
        idle: connections waiting to be lent.
        in_use: connections lent now or being opened.
        waiting: operations waiting for a connection now, without those that were given up.
        requests: connections asked for.
        requests_queued: requests that had to wait.
        requests_errors: requests that ended without a connection.
        connections_made: connections opened or tried.
        connections_lost: connections found broken when they were about to be lent.
    """

    __module__ = "turbo_orm"  # pickles name the class by this path

    alias: str
    min_size: int
    max_size: int
    size: int
    idle: int
    in_use: int
    waiting: int
    requests: int
    requests_queued: int
    requests_errors: int
    connections_made: int
    connections_lost: int

    @classmethod
    def of(cls, alias: str, measured: Mapping[str, int]) -> PoolStats:
        """Read figures under psycopg_pool's names; it leaves out counters that are still zero."""
        size = measured.get("pool_size", 0)
        idle = measured.get("pool_available", 0)
        return cls(
            alias=alias,
            min_size=measured.get("pool_min", 0),
            max_size=measured.get("pool_max", 0),
            size=size,
            idle=idle,
            in_use=size - idle,
            waiting=measured.get("requests_waiting", 0),
            requests=measured.get("requests_num", 0),
            requests_queued=measured.get("requests_queued", 0),
            requests_errors=measured.get("requests_errors", 0),
            connections_made=measured.get("connections_num", 0),
            connections_lost=measured.get("connections_lost", 0),
        )
