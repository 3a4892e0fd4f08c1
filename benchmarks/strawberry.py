"""What an operation of strawberry-django's costs: stock, with both views, and with Turbo ORM."""

from __future__ import annotations

from .served.adapters import Adapter, main
from .strawberries.cases import CASES
from .strawberries.project import APPS, SYSTEMS
from .tagged.answers import fits

STRAWBERRY = Adapter(
    name="strawberry",
    description=__doc__,
    project="benchmarks.strawberries.project",
    systems=SYSTEMS,
    apps=APPS,
    cases=CASES,
    fits=fits,
    rival="async",
    rival_title="asynchronous",
)

if __name__ == "__main__":
    main(STRAWBERRY)
