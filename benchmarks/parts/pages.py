"""What a page costs: real servers, real requests by wrk, the same pages from each."""

from __future__ import annotations

import html
import importlib.metadata
import json
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg

from ..context import Context, Results, tell
from ..served.cases import CASES, Case
from ..served.server import Server
from ..served.systems import SYSTEMS
from ..served.turns import Key, Pace, Servers, Turn, check, measure, running


def run(context: Context) -> Results:
    """Return the loads by case and system, and which case the servers have a goal for."""
    options = context.options
    results: Results = {case: {} for case in options.pages}
    with running(lambda *key: start(context, *key), list(wanted(context))) as servers:
        note_versions(context)
        turns = list(all_turns(context, servers))
        chance = random.Random(5)
        for turn in turns:
            check(turn, chance, partial(is_right, context))
            tell(f"{turn.case.title}: {turn.title} answers rightly")
        if not options.check:
            results |= measure(turns, pace(context), lambda message: tell(f"pages: {message}"))
    return {"pages": results}


def note_versions(context: Context) -> None:
    """Remember what the servers are built on."""
    for system in context.options.servers:
        context.versions[f"{SYSTEMS[system].title}, pages"] = {
            name: importlib.metadata.version(name) for name in SYSTEMS[system].distributions
        }


def pace(context: Context) -> Pace:
    """Return what was asked for; there are as many clients while the servers warm up."""
    options = context.options
    clients, seconds = options.clients, options.page_seconds
    return Pace(options.page_rounds, seconds, clients, options.page_warm, clients)


def all_turns(context: Context, servers: Servers) -> Iterator[Turn]:
    """Yield each case with each system that can have it."""
    for case in (CASES[name] for name in context.options.pages):
        for system in context.options.servers:
            title = SYSTEMS[system].title
            if (system, case.middleware) in servers:
                yield Turn(case, system, title, servers[system, case.middleware])
            else:
                context.note(f"{title}: it has no sessions and users of its own")


def wanted(context: Context) -> Iterator[Key]:
    """Yield each system with each set of middleware that the pages want and it can have."""
    variants = {CASES[name].middleware for name in context.options.pages}
    for system in context.options.servers:
        for middleware in variants if SYSTEMS[system].django else variants - {True}:
            yield system, middleware


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
