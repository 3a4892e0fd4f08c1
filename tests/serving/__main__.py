"""One flavour of server in a process of its own: ``python -m tests.serving out.json``."""

import os
import sys
from pathlib import Path

import django


def main() -> None:
    """Set Django up, then let the server named by ``SERVING_FLAVOUR`` answer everything."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.serving.settings"
    django.setup()
    from .child import run

    run(Path(sys.argv[1]))


main()
