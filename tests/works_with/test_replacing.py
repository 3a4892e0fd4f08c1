"""Packages that replace methods of Django's see with Turbo ORM what they see without."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("cachalot", "cacheops", "djmoney")


def run(package, flavour, path):
    """Return what a package has seen, in a process and a database of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.works_with.replacing", path],
        cwd=ROOT,
        env={**os.environ, "REPLACING": package, "WORKS_WITH_FLAVOUR": flavour},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{package}, {flavour}: {done.stdout}"
    return json.loads(path.read_text())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_replaces_methods_sees_what_it_sees_without(package, tmp_path):
    stock = run(package, "stock", tmp_path / "stock")

    assert stock[0]
    assert run(package, "redirects", tmp_path / "redirects") == stock
    assert run(package, "managers", tmp_path / "managers") == stock
