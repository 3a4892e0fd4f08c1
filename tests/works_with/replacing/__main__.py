"""One package and flavour, in a process of its own: ``python -m tests.works_with.replacing``."""

import asyncio
import json
import os
import sys
from pathlib import Path

import django

# A plan is there from the second time on.
TIMES = 3


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.works_with.replacing.settings"
    django.setup()
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases

    from ..__main__ import drop
    from .works import work

    setup_databases(verbosity=0, interactive=False)
    connections.close_all()
    try:
        seen = asyncio.run(several(work, settings.FLAVOUR))
    finally:
        connections.close_all()
        drop(settings.DATABASES["default"]["TEST"]["NAME"])
    Path(sys.argv[1]).write_text(json.dumps(seen))


async def several(work, flavour):
    """Return what each time has seen, once outside the bridge and once in it."""
    seen = [await work() for _ in range(TIMES)]
    if flavour == "stock":
        return seen + [await work() for _ in range(TIMES)]
    from turbo_orm import close_pools, portal

    seen += [await portal(work()) for _ in range(TIMES)]
    await close_pools()
    return seen


main()
