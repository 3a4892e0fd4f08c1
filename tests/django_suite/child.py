"""The process that runs Django's `runtests.py` in one mode."""

from __future__ import annotations

import os
import runpy
import sys

import django

from .source import tests_of_django


set_up = django.setup


def set_up_with_our_managers() -> None:
    """Set Django up, and put our managers in place before the suite's own models are imported."""
    set_up()
    from .native import use_our_managers

    use_our_managers()


def main() -> None:
    """Run the applications named on the command line."""
    folder = tests_of_django()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    if os.environ["TURBO_SUITE_MODE"] == "native":
        django.setup = set_up_with_our_managers
    options = ["--settings=tests.django_suite.settings", "--parallel=1", "--noinput"]
    sys.argv = ["runtests.py", *options, *sys.argv[1:]]
    runpy.run_path("runtests.py", run_name="__main__")


if __name__ == "__main__":
    main()
