"""Run Ninja's tests, ours and without: ``python -m tests.ninja_suite CHECKOUT``.

The checkout of github.com/vitalik/django-ninja is yours: its tests are copied, so that the
installed Ninja is tested and not that of the checkout. They run on the PostgreSQL that
``DATABASE_URL`` names.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Both have a package `tests`: the plugin and the settings are imported from their own folder.
HERE = Path(__file__).resolve().parent
# The tests, and the examples that some of them import.
NEEDED = ("tests", "docs")
# What differs on purpose, and why.
ROUTERS = "the router has two decorators of the adapter's"
APPLY = "test_router_reuse.py::TestApplyDecoratorsToOperations::test_apply_decorators"
EXPECTED = {
    "test_auth.py::test_async_auth": "a callback runs on the loop, unless it says that it must not",
    **dict.fromkeys((f"{APPLY}_idempotent", f"{APPLY}_operation_mode"), ROUTERS),
    f"{APPLY}_view_mode": ROUTERS,
}
OUTCOME = re.compile(r"^(FAILED|ERROR) (\S+)", re.MULTILINE)


def run(folder: Path, *, adapter: bool, arguments: list[str]) -> tuple[str, set[str]]:
    """Return the last line that pytest says, and what failed.

    Args:
        folder: has the tests, and no Ninja.
        adapter: whether Turbo ORM is installed, and the adapter in every API.
        arguments: for pytest.
    """
    plugin = ["-p", "turbo_ninja_plugin"] if adapter else []
    options = ["-q", "-rfE", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:turbo_orm"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *plugin, *arguments],
        cwd=folder / "tests",
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "suite_settings",
            "PYTHONPATH": f"{folder / 'tests' / 'demo_project'}{os.pathsep}{HERE}",
            "TURBO_SUITE_ADAPTER": "1" if adapter else "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1:
        print(done.stdout[-3000:], done.stderr[-3000:])
    failed = {match.group(2) for match in OUTCOME.finditer(done.stdout)}
    return done.stdout.strip().rpartition("\n")[2], failed


def main() -> int:
    """Print both results, and what fails with the adapter only; return 1 if more than known."""
    parser = argparse.ArgumentParser(prog="python -m tests.ninja_suite", description=__doc__)
    parser.add_argument("checkout", type=Path)
    options, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for part in NEEDED:
            shutil.copytree(options.checkout / part, folder / part)
        without, failed_without = run(folder, adapter=False, arguments=arguments)
        with_adapter, failed = run(folder, adapter=True, arguments=arguments)
    for title, tests in (
        ("fails with the adapter only", failed - failed_without),
        ("fails without the adapter only", failed_without - failed),
    ):
        print(f"{title}: {len(tests)}")
        for name in sorted(tests):
            print(f"  {name}: {EXPECTED.get(name, 'not known')}")
    print(f"without: {without}")
    print(f"with the adapter: {with_adapter}")
    return int(failed - failed_without != set(EXPECTED))


if __name__ == "__main__":
    sys.exit(main())
