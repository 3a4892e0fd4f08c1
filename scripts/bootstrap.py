"""Find uv and the newest Python that runs, then hand the given arguments to uv.

Needs nothing but a plain `python3` (3.9 or newer): uv is installed into a private virtual
environment when the machine has none. Everything after the options is uv's own command line:

    python3 scripts/bootstrap.py run pytest
    python3 scripts/bootstrap.py --interpreter 3.10 run --group django42 pytest
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
PRIVATE_VENV = ROOT / ".venv-uv"
MINORS = ("3.14", "3.13", "3.12", "3.11", "3.10")
# The oldest uv that reads this lock file and knows `requires-python` of a dependency group.
OLDEST_UV = (0, 8)
# Not one of pytest's codes (0 to 5), nor make's (2): a caller can tell it from a failed test.
NO_INTERPRETER = 69

PROBE = """
import json, platform, sys
print(json.dumps([
    "%d.%d" % sys.version_info[:2],
    platform.python_implementation(),
    sys.executable,
]))
"""


class Interpreter(NamedTuple):
    """A Python that was run and answered."""

    path: str
    minor: str


def say(message: str) -> None:
    """Tell the person at the terminal; standard output belongs to the command."""
    print(f"bootstrap: {message}", file=sys.stderr, flush=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say why nothing was run, and leave."""
    say(message)
    raise SystemExit(code)


def output_of(*command: str, timeout: float = 30) -> str | None:
    """Return what a command prints, or None if it cannot be run to a good end."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            text=True,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def probe(candidate: str) -> Interpreter | None:
    """Run a candidate: pyenv's shims are on PATH for versions that they then refuse to start."""
    # -I: what PYTHONPATH or the current folder holds must not decide which Python is chosen.
    printed = output_of(candidate, "-I", "-c", PROBE)
    if printed is None:
        return None
    try:
        minor, implementation, executable = json.loads(printed.splitlines()[-1])
    except (IndexError, ValueError):
        return None
    if implementation != "CPython" or minor not in MINORS:
        return None
    return Interpreter(executable, minor)


def pyenv_root() -> Path | None:
    """Return pyenv's folder, if there is one."""
    named = output_of("pyenv", "root") or os.environ.get("PYENV_ROOT")
    root = Path(named) if named else Path.home() / ".pyenv"
    return root if (root / "versions").is_dir() else None


def patch_version(path: Path) -> tuple[int, ...]:
    """Order `versions/3.10.9` below `versions/3.10.13`."""
    return tuple(int(number) for number in re.findall(r"\d+", path.parent.parent.name))


def candidates(minors: tuple[str, ...]) -> Iterator[str]:
    """Yield what may be a Python: newest minor first, PATH before pyenv, `python3` last."""
    root = pyenv_root()
    for minor in minors:
        on_path = shutil.which(f"python{minor}")
        if on_path:
            yield on_path
        if root:
            found = root.glob(f"versions/{minor}*/bin/python{minor}")
            yield from map(str, sorted(found, key=patch_version, reverse=True))
    for fallback in (shutil.which("python3"), sys.executable):
        if fallback:
            yield fallback


def find_interpreter(wanted: str | None) -> Interpreter:
    """Return the newest Python that really runs, or the one minor version asked for."""
    minors = (wanted,) if wanted else MINORS
    for candidate in candidates(minors):
        found = probe(candidate)
        if found and found.minor in minors:
            return found
    if wanted:
        fail(f"Python {wanted} is not on this machine", NO_INTERPRETER)
    fail(f"no CPython from {MINORS[-1]} to {MINORS[0]} is on this machine", NO_INTERPRETER)


def works(uv: str) -> bool:
    """Tell whether this uv runs and is new enough."""
    match = re.match(r"uv (\d+)\.(\d+)", output_of(uv, "--version") or "")
    return match is not None and tuple(map(int, match.groups())) >= OLDEST_UV


def private_uv() -> Path:
    """Return where uv is (or will be) in the private environment."""
    folder, name = ("Scripts", "uv.exe") if os.name == "nt" else ("bin", "uv")
    return PRIVATE_VENV / folder / name


def install_uv(python: Interpreter) -> str:
    """Install uv into the private environment; what pip warns of does not matter."""
    say(f"no usable uv on PATH: installing it into {PRIVATE_VENV.name}/ ...")
    started = time.monotonic()
    # A Python may come without ensurepip, so the one that runs us is a second chance.
    for maker in dict.fromkeys((python.path, sys.executable)):
        pip = (str(private_uv().with_name("python")), "-m", "pip", "install", "--quiet")
        try:
            subprocess.run([maker, "-m", "venv", "--clear", str(PRIVATE_VENV)], check=True)
            subprocess.run([*pip, f"uv>={'.'.join(map(str, OLDEST_UV))}"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            say(f"that failed with {maker}: {error}")
            continue
        say(f"installed uv in {time.monotonic() - started:.1f} s")
        return str(private_uv())
    fail("could not install uv: install it by hand and put it on PATH")


def find_uv(python: Interpreter) -> str:
    """Return a uv that runs, installing one if need be."""
    for found in (shutil.which("uv"), str(private_uv())):
        if found and works(found):
            return found
    return install_uv(python)


def environment_name(python: Interpreter, uv_arguments: list[str]) -> str:
    """Name the environment by Python and Django, so that no job rebuilds another's."""
    # The engines of other packages ask for a Django of their own.
    group = re.search(r"--group[= ](django\d+|works-with-engines)\b", " ".join(uv_arguments))
    return "-".join(filter(None, ("py" + python.minor.replace(".", ""), group and group[1])))


def uv_environment(python: Interpreter, name: str) -> dict[str, str]:
    """Return the variables that make uv use this Python and this environment, and no other."""
    environment = dict(os.environ)
    # An activated environment of the caller's would make uv warn on every run.
    environment.pop("VIRTUAL_ENV", None)
    environment["UV_PYTHON"] = python.path
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment["UV_PROJECT_ENVIRONMENT"] = str(ROOT / ".venvs" / name)
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        # Tests start a hundred processes, and each would compile every module anew: 4 s of 6.
        environment["PYTHONPYCACHEPREFIX"] = str(ROOT / ".venvs" / f"{name}-bytecode")
    return environment


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read our own options; the first word that is not one begins uv's command line."""
    parser = argparse.ArgumentParser(
        description="Find uv and the newest Python that runs, then run uv with both.",
        epilog=f"Exits {NO_INTERPRETER} when the interpreter asked for is not on this machine.",
    )
    parser.add_argument("--interpreter", metavar="3.X", choices=MINORS, help="one Python version")
    parser.add_argument("--find", action="store_true", help="print the interpreter's path and stop")
    parser.add_argument("uv", nargs=argparse.REMAINDER, metavar="...", help="uv's command line")
    options = parser.parse_args(arguments)
    if not options.uv and not options.find:
        parser.error("nothing to run: say for example `run pytest`")
    return options


def become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Turn this process into the command, so that signals reach it without being passed on."""
    if os.name == "nt":
        raise SystemExit(subprocess.run(command, env=environment, check=False).returncode)
    os.execve(command[0], command, environment)


def main(arguments: list[str]) -> None:
    """Choose, say what was chosen, and become uv."""
    options = parse(arguments)
    python = find_interpreter(options.interpreter)
    if options.find:
        print(python.path)
        return
    uv = find_uv(python)
    name = environment_name(python, options.uv)
    say(f"Python {python.minor} ({python.path}), uv ({uv}), environment .venvs/{name}")
    become([uv, *options.uv], uv_environment(python, name))


if __name__ == "__main__":
    main(sys.argv[1:])
