"""What a request to Django REST framework costs: stock, with adrf, aiodrf and Turbo ORM."""

from __future__ import annotations

from .drfs import project
from .drfs.cases import CASES, fits
from .served.adapters import Adapter, main

DRF = Adapter(
    "drf",
    __doc__,
    project,
    CASES,
    rival="drf",
    rival_title=project.SYSTEMS["drf"],
    fits=fits,
    ahead_of_all=True,
    # adrf's list takes seconds where many ask for it.
    warm_seconds=2,
    warm_clients=8,
)

if __name__ == "__main__":
    main(DRF)
