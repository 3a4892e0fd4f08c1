"""What lies in the wheels and source distributions."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path


def contents(archive: Path) -> dict[str, bytes]:
    """Return the files of a wheel or a source distribution, by name."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(archive) as source:
        members = [member for member in source.getmembers() if member.isfile()]
        return {member.name: source.extractfile(member).read() for member in members}


def problems(archive: Path, root: Path) -> list[str]:
    """Return what is wrong with an archive.

    Args:
        archive: a wheel or a source distribution.
        root: the checkout that it was built from.
    """
    found = contents(archive)
    package = archive.name.partition("-")[0]
    wanted = {"LICENSE": (root / "LICENSE").read_bytes(), "py.typed": b""}
    if archive.suffix != ".whl":
        folder = package.replace("_", "-")
        wanted["README.md"] = (root / "packages" / folder / "README.md").read_bytes()
    wrong = []
    for name, content in wanted.items():
        inside = [path for path in found if path.rpartition("/")[2] == name]
        if [found[path] for path in inside] != [content]:
            wrong.append(f"{archive.name}: {name} is there {len(inside)} times, or is another")
    if strange := [name for name in found if "__pycache__" in name or "/tests/" in name]:
        wrong.append(f"{archive.name}: {strange[0]} does not belong there")
    return wrong
