"""What an endpoint of Django Ninja's costs: stock, with both kinds of views, and with Turbo ORM."""

from __future__ import annotations

from .ninjas import project
from .ninjas.cases import CASES
from .served.adapters import Adapter, main

NINJA = Adapter("ninja", __doc__, project, CASES, rival="async", rival_title="asynchronous")

if __name__ == "__main__":
    main(NINJA)
