"""One run: options, database, parts, and the file in the end."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import time
from pathlib import Path

from . import results, tables
from .cases import CASES
from .context import Context, Results, tell
from .database import require_connections, server, temporary_database
from .environments import ROOT
from .peers import PEERS, USUAL
from .served.cases import CASES as PAGES
from .served.cases import USUAL as USUAL_PAGES
from .served.systems import SYSTEMS
from .served.wrk import require_wrk

PARTS = ("operations", "building", "pages", "memory", "growth")
QUICK_PARTS = ("operations", "pages")
FULL_TASKS = (1, 20, 100)
# What each length of run sets, unless it is asked for otherwise.
FULL = {
    "parts": list(PARTS),
    "tasks": list(FULL_TASKS),
    "rounds": 3,
    "seconds": 0.2,
    "warm": 0.1,
    "fresh": True,
    "page_rounds": 3,
    "page_seconds": 1,
    "page_warm": 1,
}
QUICK = {
    "parts": list(QUICK_PARTS),
    "tasks": [20],
    "rounds": 2,
    "seconds": 0.08,
    "warm": 0.04,
    "fresh": False,
    "page_rounds": 1,
    "page_seconds": 1,
    "page_warm": 0,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("--quick", action="store_true", help="fewer parts, levels and rounds")
    parser.add_argument("--parts", nargs="+", choices=PARTS)
    parser.add_argument("--systems", nargs="+", choices=PEERS, default=USUAL)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--tasks", nargs="+", type=int, help="numbers of concurrent tasks")
    parser.add_argument("--pool", type=int, default=20, help="connections in each pool")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="per round, operation, level and system")
    parser.add_argument("--warm", type=float, help="seconds before, which are not counted")
    parser.add_argument(
        "--fresh",
        action=argparse.BooleanOptionalAction,
        help="new processes for each operation",
        default=None,
    )
    parser.add_argument("--servers", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(USUAL_PAGES))
    parser.add_argument("--clients", type=int, default=32, help="connections that wrk keeps open")
    parser.add_argument("--page-rounds", type=int)
    parser.add_argument("--page-seconds", type=int, help="per round, page and server")
    parser.add_argument("--page-warm", type=int, help="seconds before, which are not counted")
    parser.add_argument("--check", action="store_true", help="check the answers and stop")
    parser.add_argument("--name", help="of the file: DATE-NAME.json in benchmarks/results")
    parser.add_argument("--no-file", action="store_true", help="write none")
    parser.add_argument("--page", action="store_true", help="bring docs/performance.md up to date")


def complete(options: argparse.Namespace) -> argparse.Namespace:
    """Fill in what was not asked for."""
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.systems = list(dict.fromkeys(options.systems))
    whole = is_whole(options)
    options.name = options.name or ("quick" if options.quick else "full" if whole else "part")
    if options.page and not whole:
        tell("only part of a run was asked for: docs/performance.md stays as it is")
        options.page = False
    if hasattr(os, "getloadavg"):
        options.load_before = round(os.getloadavg()[0], 2)
    return options


def is_whole(options: argparse.Namespace) -> bool:
    """Tell whether a run has all that the documentation shows, in however many rounds."""
    return (
        set(options.parts) >= set(PARTS)
        and set(options.systems) >= set(USUAL)
        and set(options.cases) >= set(CASES)
        and set(options.tasks) >= set(FULL_TASKS)
        and set(options.servers) >= set(SYSTEMS)
        and set(options.pages) >= set(USUAL_PAGES)
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print the tables, write the file."""
    complete(options)
    if "pages" in options.parts and not options.check:
        require_wrk()
    require_connections(server(), connections_needed(options))
    began = time.monotonic()
    found = measure(options)
    if options.check:
        return
    found["seconds"] = round(time.monotonic() - began)
    print("\n".join(tables.everything(found)))
    tell(f"done in {found['seconds']} s")
    if not options.no_file:
        path = results.write(found, options.name)
        tell(f"wrote {path.relative_to(ROOT)}")
        # Read again: pictures and page are then the same, whether drawn now or from the file.
        finish(path, results.read(path), options)


def finish(path: Path, found: Results, options: argparse.Namespace) -> None:
    """Draw, and bring the page up to date if that was asked for."""
    from . import page, plots

    if options.page:
        page.update(found, path)
    elif "operations" in found:
        drawn = plots.draw(found, path.with_suffix(""))
        tell(f"drew {', '.join(str(each.relative_to(ROOT)) for each in drawn)}")


def connections_needed(options: argparse.Namespace) -> int:
    """Return how many connections are open at most."""
    operations = len(options.systems) * (options.pool + 1)
    # Two sets of middleware; one of the servers has a pool for its synchronous side too.
    pages = 2 * (len(options.servers) + 1) * options.pool if "pages" in options.parts else 0
    return max(operations, pages)


def measure(options: argparse.Namespace) -> Results:
    """Make the database, and let each part do its work."""
    apps: tuple[str, ...] = ()
    with contextlib.ExitStack() as stack:
        if "pages" in options.parts:
            from .served.project import APPS, log_in

            apps = APPS
        conninfo = stack.enter_context(temporary_database(apps))
        context = Context(options, conninfo, cookie=log_in() if apps else "")
        found = results.describe(context)
        for part in options.parts:
            tell(f"part: {part}")
            found |= importlib.import_module(f".parts.{part}", __package__).run(context)
        return found | {"versions": context.versions, "notes": context.notes}
