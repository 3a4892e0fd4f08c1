"""An environment for the peer that owns the import name `turbo_orm`, made on first use."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venvs" / "bench-published"
RECORD = FOLDER / "requirements.txt"
PUBLISHED = "django-turbo-orm==0.2.0"
# What both environments have, in the same version: only the package itself may differ.
SHARED = (
    "asgiref",
    "django",
    "django-async-backend",
    "psycopg",
    "psycopg-binary",
    "psycopg-pool",
    "uvloop",
)


def requirements() -> list[str]:
    """Return what to install: the published package, beside what this environment has."""
    found = []
    for name in SHARED:
        try:
            found.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return [PUBLISHED, *found]


def published_interpreter() -> Path | None:
    """Return the environment's interpreter, or None if it cannot be made here."""
    interpreter = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = "\n".join([f"# Python {sys.version}", *requirements()])
    if interpreter.exists() and RECORD.exists() and RECORD.read_text() == wanted:
        return interpreter
    print(f"installing {PUBLISHED} into .venvs/{FOLDER.name}/ ...", file=sys.stderr, flush=True)
    try:
        uv("venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER))
        uv("pip", "install", "--quiet", "--python", str(interpreter), *requirements())
    except subprocess.CalledProcessError:
        return None
    RECORD.write_text(wanted)
    return interpreter


def uv(*arguments: str) -> None:
    """Run uv, found as every target of the Makefile finds it."""
    bootstrap = str(ROOT / "scripts" / "bootstrap.py")
    subprocess.run([sys.executable, bootstrap, *arguments], check=True)
