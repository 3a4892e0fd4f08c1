"""What it costs to build a query and to make it SQL, without a database."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .cases import CASES, FOUR_LENGTH, many_arguments
from .peers import NotAvailable, Peer

# One look at the clock for so many queries.
BATCH = 50


class Given(NamedTuple):
    """The values that the conditions compare with, in the order of the case's arguments."""

    name: str
    views: int
    topic: str


def three_conditions(articles: Any, given: Given) -> Any:
    """Build a query with three conditions."""
    return articles.filter(views__gte=given.views, is_published=True, title__contains=given.topic)


def four_conditions(articles: Any, given: Given) -> Any:
    """Build a query with four conditions, the last one over a join."""
    return articles.filter(
        views__gte=given.views,
        is_published=True,
        title__contains=given.topic,
        author__name=given.name,
    )


SHAPES: dict[str, Callable[[Any, Given], Any]] = {
    "1 condition": lambda articles, given: articles.filter(views__gte=given.views),
    "2 conditions": lambda articles, given: articles.filter(
        views__gte=given.views, is_published=True
    ),
    "3 conditions": three_conditions,
    "4 conditions, one over a join": four_conditions,
    "4 conditions, ordered, sliced": lambda articles, given: four_conditions(
        articles, given
    ).order_by("-created")[:FOUR_LENGTH],
}


async def spend_on_building(peer: Peer, shape: str, seconds: float) -> dict[str, float]:
    """Return the microseconds of CPU time per query: to build it, and to build and compile it."""
    articles = peer.articles  # type: ignore[attr-defined]
    build = SHAPES[shape]
    arguments = itertools.cycle(Given(*each) for each in many_arguments(CASES["four_conditions"]))
    compile_query = peer.compiler()  # type: ignore[attr-defined]
    await peer.learn(build(articles, next(arguments)))
    try:
        compiled = compile_query(build(articles, next(arguments)))
    except Exception as error:
        raise NotAvailable(f"{shape}: {error!r}") from error
    check_parameters(compiled, shape)
    return {
        "build": measure(lambda: build(articles, next(arguments)), seconds),
        "compiled": measure(lambda: compile_query(build(articles, next(arguments))), seconds),
    }


def check_parameters(compiled: tuple[str, Any], shape: str) -> None:
    """Make sure that each condition is in the SQL, and its value among the parameters."""
    sql, parameters = compiled
    # A boolean may stand in the SQL itself.
    values = int(shape[0]) - (shape[0] != "1")
    if sql.count(" AND ") < int(shape[0]) - 1 or len(parameters) < values:
        raise NotAvailable(f"{shape} became {sql!r} with {parameters!r}")


def measure(work: Callable[[], object], seconds: float) -> float:
    """Return the microseconds of CPU time that one call takes."""
    done = 0
    for _ in range(BATCH):
        work()
    began = time.process_time()
    while (spent := time.process_time() - began) < seconds or not done:
        for _ in range(BATCH):
            work()
        done += BATCH
    return spent / done * 1e6
