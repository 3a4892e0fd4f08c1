"""One empty environment: pip puts packages into it, and a project is run in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent / "project"
# Nothing of the environment that runs this may be seen in the one that is tried.
HIDDEN = ("PYTHONPATH", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE", "PYTHONWARNINGS")


class Failed(Exception):
    """What went wrong, in a line or a page."""


def run(*command: object, **environment: str) -> str:
    """Run a command and return what it prints; what it says on standard error, too.

    Raises:
        Failed: it ended with another code than 0.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    done = subprocess.run(
        [*map(str, command)],
        cwd=PROJECT,
        env={**inherited, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout.strip()


class Environment:
    """An environment without pip, which the pip of another one fills.

    Args:
        folder: where it will lie.
        python: the interpreter that it is made of.
        pip: the interpreter of the environment that has pip.
        dist: the folder of the wheels.
    """

    def __init__(self, folder: Path, python: str, pip: Path, dist: Path) -> None:
        self._folder = folder
        self._pip = pip
        self._dist = dist
        self.python = folder / "bin" / "python"
        run(python, "-m", "venv", "--without-pip", folder)

    def install(self, *requirements: str) -> None:
        """Install requirements, as a person would, with nothing but the wheels beside PyPI."""
        options = ("--quiet", "--disable-pip-version-check", "--find-links", self._dist)
        run(self._pip, "-m", "pip", "--python", self.python, "install", *options, *requirements)

    def check_requirements(self) -> None:
        """Raise if two of the packages that were installed contradict each other."""
        run(self._pip, "-m", "pip", "--python", self.python, "check")

    def version(self, distribution: str) -> str:
        """Return the version of a distribution, "-" if there is none."""
        code = (
            "import importlib.metadata as m, sys\n"
            "try: print(m.version(sys.argv[1]))\n"
            "except m.PackageNotFoundError: print('-')"
        )
        return run(self.python, "-c", code, distribution)

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run a command of the project's ``manage.py`` and return what it prints."""
        return run(self.python, "-W", "error", "manage.py", *arguments, **environment)


def pip_of(folder: Path, python: str) -> Path:
    """Make an environment that has nothing but pip, and return its interpreter."""
    run(python, "-m", "venv", folder)
    return folder / "bin" / "python"


def named(**values: Any) -> dict[str, str]:
    """Return environment variables of the project."""
    return {f"WHEELS_{name.upper()}": str(value) for name, value in values.items()}
