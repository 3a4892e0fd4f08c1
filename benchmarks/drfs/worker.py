"""One server: uvicorn, one process, on a port of its own choice that it prints."""

from __future__ import annotations

from benchmarks.served.worker import main

from .project import SYSTEMS, application

if __name__ == "__main__":
    main(application, SYSTEMS)
