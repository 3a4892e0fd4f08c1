"""What a request to Django REST framework costs: stock, with adrf, aiodrf and Turbo ORM."""

from __future__ import annotations

from .drfs.cases import CASES, fits
from .drfs.project import APPS, SYSTEMS
from .served.adapters import Adapter, main

DRF = Adapter(
    name="drf",
    description=__doc__,
    project="benchmarks.drfs.project",
    systems=SYSTEMS,
    apps=APPS,
    cases=CASES,
    fits=fits,
    rival="drf",
    rival_title=SYSTEMS["drf"],
    ahead_of_all=True,
    # adrf's list takes seconds where many ask for it.
    warm_seconds=2,
    warm_clients=8,
)

if __name__ == "__main__":
    main(DRF)
