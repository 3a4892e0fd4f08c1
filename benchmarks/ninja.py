"""What an endpoint of Django Ninja's costs: stock, with both kinds of views, and with Turbo ORM."""

from __future__ import annotations

from .ninjas.cases import CASES
from .ninjas.project import APPS, SYSTEMS
from .served.adapters import Adapter, main
from .tagged.answers import fits

NINJA = Adapter(
    name="ninja",
    description=__doc__,
    project="benchmarks.ninjas.project",
    systems=SYSTEMS,
    apps=APPS,
    cases=CASES,
    fits=fits,
    rival="async",
    rival_title="asynchronous",
)

if __name__ == "__main__":
    main(NINJA)
