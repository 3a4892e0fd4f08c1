"""Django's tests: from the source distribution of the installed version, kept in a cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import django


def cache() -> Path:
    """Return the folder that keeps downloads between runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "turbo-orm" / "django-suite"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def tests_of_django() -> Path:
    """Return the `tests` folder of the installed Django, downloaded if need be."""
    version = django.get_version()
    unpacked = cache() / f"django-{version}"
    tests = unpacked / "tests"
    if not (tests / "runtests.py").exists():
        _unpack(_download(version), unpacked)
    return tests


def _download(version: str) -> Path:
    folder = cache() / f"sdist-{version}"
    print(f"Downloading the source distribution of Django {version} ...", flush=True)
    # pip refuses a file whose checksum is not the one that the index gives.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run(
        [*command, "--no-binary", "django", "--dest", str(folder), f"django=={version}"],
        check=True,
    )
    return next(iter(folder.glob("*.tar.gz")))


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as tar:
        members = [member for member in tar if "/tests/" in member.name]
        for member in members:
            member.name = member.name.split("/", 1)[1]
        if hasattr(tarfile, "data_filter"):
            tar.extractall(target, members, filter="data")
        else:  # pragma: no cover  # a Python before the filters were added
            tar.extractall(target, members)
