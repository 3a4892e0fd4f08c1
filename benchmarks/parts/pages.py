"""What a page costs: real servers, real requests by wrk, the same pages from each."""

from __future__ import annotations

import contextlib
import html
import importlib.metadata
import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from ..context import Context, Results, tell
from ..served.cases import CASES, Case
from ..served.server import Server
from ..served.systems import SYSTEMS
from ..served.wrk import Load, NoAnswer, load

# As many different pages of a case are compared with what they must say.
CHECKED = 10
# On a machine with other things to do, twenty queries for each of many clients take their time.
PATIENCE = (1, 5, 20)
Servers = dict[tuple[str, bool], Server]
Turn = tuple[Case, str, Server]


def run(context: Context) -> Results:
    """Return the loads by case and system, and which case the servers have a goal for."""
    options = context.options
    results: Results = {case: {} for case in options.pages}
    with running(context) as servers:
        turns = [turn for turn in all_turns(context, servers) if check(context, turn)]
        for case, system, _ in turns:
            results[case.name][system] = []
        if not options.check:
            measure(context, turns, results)
    return {"pages": results}


def measure(context: Context, turns: list[Turn], results: Results) -> None:
    """Warm up, then let the servers take turns."""
    options = context.options
    if options.page_warm:
        for case, _, asked in turns:
            answered(asked, case, options.clients, options.page_warm)
    for number in range(options.page_rounds):
        began = time.monotonic()
        for case, system, asked in turns:
            taken = answered(asked, case, options.clients, options.page_seconds)
            results[case.name][system].append(taken._asdict())
        spent = time.monotonic() - began
        tell(f"pages: round {number + 1} of {options.page_rounds}, {spent:.0f} s")


def answered(asked: Server, case: Case, clients: int, seconds: int) -> Load:
    """Load a server for so long, or as much longer as it needs to answer at all."""
    for factor in PATIENCE:
        try:
            return load(asked, case, clients, seconds * factor)
        except NoAnswer:
            tell(f"{case.title}: no answer in {seconds * factor} s")
    raise asked.failure(f"{case.title}: no answer")


def all_turns(context: Context, servers: Servers) -> Iterator[Turn]:
    """Yield each case with each system that can have it."""
    for name in context.options.pages:
        case = CASES[name]
        for system in context.options.servers:
            if (system, case.middleware) in servers:
                yield case, system, servers[system, case.middleware]
            else:
                context.note(f"{SYSTEMS[system].title}: it has no sessions and users of its own")


@contextlib.contextmanager
def running(context: Context) -> Iterator[Servers]:
    """Yield the servers, one for each set of middleware; end them whatever happens."""
    options = context.options
    variants = {CASES[name].middleware for name in options.pages}
    servers: Servers = {}
    with contextlib.ExitStack() as stack:
        # All start at once: most of it is importing.
        with ThreadPoolExecutor() as starters:
            starting = {
                (system, middleware): starters.submit(start, context, system, middleware)
                for system in options.servers
                for middleware in (variants if SYSTEMS[system].django else variants - {True})
            }
        for future in starting.values():
            if future.exception() is None:
                stack.callback(future.result().stop)
        for (system, middleware), future in starting.items():
            servers[system, middleware] = future.result()
            context.versions[f"{SYSTEMS[system].title}, pages"] = {
                name: importlib.metadata.version(name) for name in SYSTEMS[system].distributions
            }
        yield servers


def start(context: Context, system: str, middleware: bool) -> Server:
    """Start a server; it has a session's cookie to send."""
    started = Server(
        system,
        context.conninfo,
        middleware=middleware,
        connections=context.options.pool,
        worker=SYSTEMS[system].worker,
    )
    started.cookie = f"sessionid={context.cookie}"
    return started


def check(context: Context, turn: Turn) -> bool:
    """Compare pages with what they must say; a wrong one ends the run."""
    case, system, asked = turn
    chance = random.Random(5)
    for number in {chance.randint(1, case.numbers) for _ in range(CHECKED)}:
        path = case.path % number if "%" in case.path else case.path
        status, page = asked.get(path)
        if status != 200 or not is_right(context, case, number, page):
            raise asked.failure(f"{SYSTEMS[system].title} answers {path} with {status}: {page}")
    tell(f"{case.title}: {SYSTEMS[system].title} answers rightly")
    return True


def is_right(context: Context, case: Case, number: int, page: str) -> bool:
    """Tell whether a page says what it must say, in whichever way it is written."""
    expected = case.page(number)
    if case.name == "updates":
        return are_written(context, json.loads(expected), json.loads(page))
    if expected.startswith(("{", "[")):
        return bool(json.loads(page) == json.loads(expected))
    # Frameworks escape quotation marks differently, and one drops the last end of a line.
    if page.count("<") != expected.count("<"):
        return False
    return html.unescape(page).rstrip() == html.unescape(expected).rstrip()


def are_written(context: Context, keys: list[int], answer: list[dict[str, Any]]) -> bool:
    """Tell whether these worlds have the numbers that the page gave them."""
    sql = "SELECT id, randomnumber FROM newsdesk_world WHERE id = ANY(%s)"
    with psycopg.connect(context.conninfo) as connection:
        found = dict(connection.execute(sql, [keys]).fetchall())
    return found == {world["id"]: world["randomNumber"] for world in answer}
