"""Run Ninja's own tests with the adapter and without: ``python -m tests.ninja_suite CHECKOUT``.

The checkout of github.com/vitalik/django-ninja is yours: nothing of it is kept here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

# Both have a package `tests`: the plugin is imported from its own folder.
HERE = Path(__file__).resolve().parent


def run(checkout: Path, *, adapter: bool, arguments: list[str]) -> str:
    """Return the last line that pytest says."""
    plugin = ["-p", "turbo_ninja_plugin"] if adapter else []
    options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *plugin, *arguments],
        cwd=checkout / "tests",
        env={**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{HERE}"},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-3000:] if adapter else "", end="")
    return done.stdout.strip().rpartition("\n")[2]


def main() -> None:
    """Print both results."""
    parser = argparse.ArgumentParser(prog="python -m tests.ninja_suite", description=__doc__)
    parser.add_argument("checkout", type=Path)
    options, arguments = parser.parse_known_args()
    results = {
        name: run(options.checkout.resolve(), adapter=adapter, arguments=arguments)
        for name, adapter in (("with the adapter", True), ("without", False))
    }
    print()
    for name, result in results.items():
        print(f"{name}: {result}")


if __name__ == "__main__":
    main()
