"""Run a command with a PostgreSQL of its own that has PostGIS: Debian's packages.

The command finds the server in DATABASE_URL, as with ``with_postgres.py``. If that variable is
already set, no server is started. Install ``postgresql-postgis`` first: it brings the server, and
GDAL.

    python scripts/with_postgis.py pytest
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

# Where Debian and PGDG put the programs and the extensions of each version.
PROGRAMS = Path("/usr/lib/postgresql")
EXTENSIONS = "/usr/share/postgresql/{}/extension/postgis.control"
# A server does not run as root; this user comes with the packages.
USER = "postgres"
SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


def programs() -> Path:
    """Return the folder with the programs of the newest version that has PostGIS."""
    versions = sorted(PROGRAMS.glob("*"), key=lambda path: int(re.sub(r"\D", "", path.name) or 0))
    for version in reversed(versions):
        if Path(EXTENSIONS.format(version.name)).exists():
            return version / "bin"
    raise SystemExit(
        "with_postgis: no PostgreSQL with PostGIS under /usr/lib/postgresql. Install Debian's "
        "postgresql-postgis."
    )


def run(*command: object) -> None:
    """Run a program of the server, as its user where this is root."""
    before = ("runuser", "-u", USER, "--") if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*before, *map(str, command)], capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise SystemExit(f"with_postgis: {command[0]} failed: {done.stdout}{done.stderr}")


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(command: list[str]) -> int:
    """Run the command; return its exit code."""
    if os.environ.get("DATABASE_URL"):
        return subprocess.call(command)
    found = programs()
    folder = Path(tempfile.mkdtemp(prefix="with_postgis_"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        data, port = folder / "data", free_port()
        run(found / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8")
        options = [f"-p {port}", f"-k {folder}", "-c listen_addresses=127.0.0.1"]
        options += [f"-c {setting}" for setting in SETTINGS]
        # The log goes to a file: the server would keep this program's pipe open.
        start = ("-l", folder / "log", "-o", " ".join(options), "-w", "start")
        run(found / "pg_ctl", "-D", data, *start)
        try:
            url = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
            return subprocess.call(command, env={**os.environ, "DATABASE_URL": url})
        finally:
            run(found / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
