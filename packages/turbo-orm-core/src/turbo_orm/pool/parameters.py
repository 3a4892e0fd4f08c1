"""What psycopg connects with, kept out of error pages and logs."""

from __future__ import annotations

from typing import Any


class Parameters(dict[str, Any]):
    """Connection parameters that show only their names: one of the values is the password.

    Error pages and error trackers show the variables of every frame.
    """

    def __repr__(self) -> str:
        return f"<Parameters: {', '.join(sorted(self))}>"
