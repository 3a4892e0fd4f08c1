"""DRF's tests: from the source distribution of the installed version, kept in a cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import rest_framework

from tests.django_suite.source import cache

NAME = "djangorestframework"
# Its tests, and how they are configured: the package itself is the installed one.
KEPT = ("tests", "pyproject.toml", "setup.cfg")


def tests_of_drf() -> Path:
    """Return the folder with the `tests` of the installed DRF, downloaded if need be."""
    kept = cache() / f"{NAME}-{rest_framework.VERSION}"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=cache()) as place:
            unpacked = _unpack(_download(Path(place)), Path(place))
            # In one step: a run that is interrupted leaves nothing that looks complete.
            unpacked.rename(kept)
    return kept


def _download(place: Path) -> Path:
    print(f"Downloading the source distribution of DRF {rest_framework.VERSION} ...", flush=True)
    # pip refuses a file whose checksum is not the one that the index gives.
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(place),
    ]
    subprocess.run([*command, "--no-binary", NAME, f"{NAME}=={rest_framework.VERSION}"], check=True)
    return next(place.glob("*.tar.gz"))


def _unpack(archive: Path, place: Path) -> Path:
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(place, filter="data")
        else:  # pragma: no cover  # a Python before the filters were added
            tar.extractall(place)
    unpacked = next(path for path in place.iterdir() if path.is_dir())
    for path in unpacked.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return unpacked
