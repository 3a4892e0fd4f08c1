"""What an operation of strawberry-django's costs: stock, with both views, and with Turbo ORM."""

from __future__ import annotations

from .served.adapters import Adapter, main
from .strawberries import project
from .strawberries.cases import CASES

STRAWBERRY = Adapter(
    "strawberry", __doc__, project, CASES, rival="async", rival_title="asynchronous"
)

if __name__ == "__main__":
    main(STRAWBERRY)
