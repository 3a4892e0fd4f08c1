"""How many cases a test tries: few in `make test` and `.ci/run`, all in `make all`."""

import os

THOROUGH = bool(os.environ.get("TURBO_TEST_THOROUGH"))


def cases(few: int, many: int) -> int:
    """Return how many cases to try in this run."""
    return many if THOROUGH else few
