"""Build the packages, install them with pip into empty environments, and use them.

    python -m tests.wheels [--interpreters 3.10 3.12] [--packages core drf] [--djangos 6.1]

Needs PyPI, uv (the variable UV or PATH) and a PostgreSQL (DATABASE_URL): `make test-wheels`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.wheels.archives import problems
from tests.wheels.combinations import ASYNC_BACKEND, INTERPRETERS, Combination, combinations
from tests.wheels.environment import Environment, Failed, named, pip_of, run

ROOT = Path(__file__).resolve().parents[2]
DJANGOS_ENGINE = "django.db.backends.postgresql"
ASYNC_ENGINE = "django_async_backend.db.backends.postgresql"
SILENT = "System check identified no issues (0 silenced)."
SHOWN = ("django", "psycopg", "djangorestframework", "django-ninja", "django-async-backend")
SHOWN = (*SHOWN, "strawberry-graphql-django", "strawberry-graphql", "graphql-core")

Row = tuple[str, str, str]


def interpreter(minor: str) -> str | None:
    """Return the path of an interpreter, None if it is not on this machine."""
    found = subprocess.run(
        [sys.executable, ROOT / "scripts" / "bootstrap.py", "--interpreter", minor, "--find"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else None


def build(dist: Path) -> list[str]:
    """Build wheels and source distributions; return what is wrong with them."""
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    run(uv, "build", "--quiet", "--all-packages", "--project", ROOT, "--out-dir", dist)
    archives = sorted([*dist.glob("*.whl"), *dist.glob("*.tar.gz")])
    wrong = [problem for archive in archives for problem in problems(archive, ROOT)]
    expected = 2 * len(list((ROOT / "packages").iterdir()))
    if len(archives) != expected:
        wrong.append(f"{len(archives)} archives were built, not {expected}")
    return wrong


def check(environment: Environment, wanted: Combination, database: str) -> None:
    """Install a package, and use it.

    Raises:
        Failed: Django changed, a requirement is not met, or the project does not do what it should.
    """
    environment.install(wanted.django)
    before = environment.version("django")
    environment.install(f"turbo-orm-{wanted.package}", *([wanted.django] if wanted.named else []))
    after = environment.version("django")
    if before != after:
        raise Failed(f"Django {before} became Django {after}")
    environment.check_requirements()
    if wanted.package != ASYNC_BACKEND and environment.version("django-async-backend") != "-":
        raise Failed("django-async-backend was installed, though nobody asked for it")
    package = wanted.package.partition("[")[0]
    engine = ASYNC_ENGINE if wanted.package == ASYNC_BACKEND else DJANGOS_ENGINE
    variables = named(package=package, engine=engine, database=database)
    said = environment.manage("check", **variables)
    if said != SILENT:
        raise Failed(f"manage.py check is not silent:\n{said}")
    run(environment.python, "-W", "error", "quickstart.py", **variables)
    if package == wanted.package == "core":
        refuse_missing_engine(environment, variables)


def refuse_missing_engine(environment: Environment, variables: dict[str, str]) -> None:
    """See that the error names the extra where ENGINE needs it.

    Raises:
        Failed: it does not.
    """
    variables = {**variables, "WHEELS_ENGINE": ASYNC_ENGINE}
    try:
        environment.manage("check", **variables)
    except Failed as error:
        if "turbo-orm-core[async-backend]" in str(error).splitlines()[-1]:
            return
        raise
    raise Failed("manage.py check accepts the engine of a package that is not installed")


def tried(wanted: Combination, python: str, pip: Path, folder: Path) -> Row:
    """Try one combination in an environment and a database of its own; say what came of it."""
    started = time.monotonic()
    database = f"turbo_wheels_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {database}")
        try:
            environment = Environment(folder / "venv", python, pip, folder / "dist")
            check(environment, wanted, database)
            versions = {name: environment.version(name) for name in SHOWN}
            result, told = "ok", ", ".join(f"{n} {v}" for n, v in versions.items() if v != "-")
        except (Failed, subprocess.TimeoutExpired) as error:
            print(f"\nFAILED: {describe(wanted)}\n{error}\n", flush=True)
            lines = str(error).strip().splitlines()
            result, told = "FAILED", lines[0] if len(lines) == 1 else lines[-1]
        finally:
            server.execute(f"DROP DATABASE {database} WITH (FORCE)")
            shutil.rmtree(folder / "venv", ignore_errors=True)
    row = (result, describe(wanted), told)
    print(f"{result:8} {describe(wanted):70} {time.monotonic() - started:5.1f} s", flush=True)
    return row


def describe(wanted: Combination) -> str:
    """Say a combination in the words of the two commands."""
    beside = f" '{wanted.django}'" if wanted.named else ""
    return f"{wanted.python}, {wanted.django}: pip install turbo-orm-{wanted.package}{beside}"


def rows(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Try everything that was asked for; yield what came of each."""
    wrong = build(folder / "dist")
    for problem in wrong:
        print(f"FAILED: {problem}", flush=True)
    yield "FAILED" if wrong else "ok", "the archives have licence, types and README", ""
    for minor in options.interpreters:
        python = interpreter(minor)
        if python is None:
            yield "NOT RUN", f"Python {minor}", "is not on this machine"
            continue
        pip = pip_of(folder / f"pip-{minor}", python)
        for wanted in combinations(minor):
            series = wanted.django.lstrip("django~=")[:3]
            if wanted.package in options.packages and series in options.djangos:
                yield tried(wanted, python, pip, folder)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Try the packages as people get them.")
    every = {wanted for minor in INTERPRETERS for wanted in combinations(minor)}
    packages = sorted({wanted.package for wanted in every})
    djangos = sorted({wanted.django.lstrip("django~=")[:3] for wanted in every})
    parser.add_argument("--interpreters", nargs="+", choices=INTERPRETERS, default=INTERPRETERS)
    parser.add_argument("--packages", nargs="+", choices=packages, default=packages)
    parser.add_argument("--djangos", nargs="+", choices=djangos, default=djangos)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Try, and end with a table."""
    options = parse(arguments)
    with tempfile.TemporaryDirectory(prefix="turbo-orm-wheels-") as name:
        table = list(rows(options, Path(name)))
    print("\nWheels\n------")
    for result, what, told in table:
        print(f"{result:8} {what:70} {told}".rstrip())
    return 1 if any(result == "FAILED" for result, _, _ in table) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
