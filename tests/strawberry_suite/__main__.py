"""Run strawberry-django's tests, ours and without: ``python -m tests.strawberry_suite CHECKOUT``.

The checkout of github.com/strawberry-graphql/strawberry-django is yours: nothing of it is kept.
Its tests fit the versions that they were written for; ``--python`` names an environment that has
them, with turbo-orm-core and turbo-orm-strawberry installed beside. ``DATABASE_URL`` says where.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

# Both have a package `tests`: the plugin and the settings are imported from their own folder.
HERE = Path(__file__).resolve().parent
OUTCOME = re.compile(r"^(FAILED|ERROR) (\S+)", re.MULTILINE)


def run(
    python: str, checkout: Path, *, adapter: bool, arguments: list[str]
) -> tuple[str, set[str]]:
    """Return the last line that pytest says, and what failed."""
    plugin = ["-p", "turbo_strawberry_plugin"] if adapter else []
    options = ["-q", "-rfE", "--no-cov", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [python, "-m", "pytest", *options, "--ds", "suite_settings", *plugin, *arguments],
        cwd=checkout,
        env={
            **os.environ,
            "PYTHONPATH": f"{checkout}{os.pathsep}{HERE}",
            "TURBO_SUITE_ADAPTER": "1" if adapter else "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    failed = {match.group(2) for match in OUTCOME.finditer(done.stdout)}
    return done.stdout.strip().rpartition("\n")[2], failed


def main() -> None:
    """Print both results, and what fails with the adapter only."""
    parser = argparse.ArgumentParser(prog="python -m tests.strawberry_suite", description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--python", default=sys.executable)
    options, arguments = parser.parse_known_args()
    checkout = options.checkout.resolve()
    without, failed_without = run(options.python, checkout, adapter=False, arguments=arguments)
    with_adapter, failed = run(options.python, checkout, adapter=True, arguments=arguments)
    for title, tests in (
        ("fails with the adapter only", failed - failed_without),
        ("fails without the adapter only", failed_without - failed),
    ):
        print(f"{title}: {len(tests)}")
        for name in sorted(tests):
            print(f"  {name}")
    print(f"without: {without}")
    print(f"with the adapter: {with_adapter}")


if __name__ == "__main__":
    main()
