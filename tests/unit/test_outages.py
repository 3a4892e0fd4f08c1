"""Which failures to connect are news, and what psycopg_pool may say of them."""

import asyncio
import logging

import pytest

from turbo_orm.pool.messages import DemoteRepetitions, Outages

# Each step: refused or given, how many connections are open, and what is logged of it.
HISTORIES = {
    "an outage begins and ends once": [
        ("refused", 0, True),
        ("refused", 0, False),
        ("refused", 0, False),
        ("given", 1, 1.0),
        ("given", 2, None),
    ],
    "each outage is one": [
        ("refused", 0, True),
        ("given", 1, 1.0),
        ("refused", 0, True),
        ("given", 1, 1.0),
    ],
    "a connection that comes without an outage is no news": [("given", 1, None)],
    "a limit is told of once, whoever gets what it allows": [
        ("given", 1, None),
        ("refused", 1, True),
        ("given", 1, None),
        ("refused", 1, False),
        ("given", 1, None),
        ("refused", 1, False),
    ],
    "a limit that is raised ends it": [
        ("refused", 1, True),
        ("given", 1, None),
        ("given", 2, 1.0),
    ],
    "a server that goes away while there is a limit is news": [
        ("refused", 1, True),
        ("given", 1, None),
        ("refused", 0, True),
        ("refused", 0, False),
        ("given", 1, 1.0),
    ],
    "connections that are found dead one after the other belong to one outage": [
        ("refused", 3, True),
        ("refused", 1, False),
        ("refused", 0, False),
        ("given", 1, 1.0),
    ],
}


@pytest.mark.parametrize("history", HISTORIES)
def test_what_is_logged(history):
    times = iter(range(100))
    # One second passes with each outage.
    outages = Outages(lambda: float(next(times)))

    told = []
    for event, open_connections, _ in HISTORIES[history]:
        note = outages.note_refusal if event == "refused" else outages.note_connection
        told.append((event, open_connections, note("default", open_connections)))

    assert told == HISTORIES[history]


def test_loops_of_two_threads_may_end_the_same_outage():
    told = []

    def clock():
        if outages is not None and not told:
            # As if the other thread ran now.
            told.append(None)
            told.append(outages.note_connection("default", 1))
        return 1.0

    outages = None
    made = Outages(clock)
    made.note_refusal("default", 0)
    outages = made

    assert (made.note_connection("default", 1), told) == (0.0, [None, 0.0])


def test_aliases_have_outages_of_their_own():
    outages = Outages()

    assert [outages.note_refusal(alias, 0) for alias in ("default", "other")] == [True, True]
    assert outages.note_connection("third", 1) is None


def record(level, name, error):
    return logging.LogRecord(
        "psycopg.pool", level, __file__, 1, "error connecting in %r: %s", (name, error), None
    )


@pytest.mark.parametrize(
    ("written", "handled", "level"),
    [
        (record(logging.WARNING, "turbo_orm:default", OSError()), False, "DEBUG"),
        (record(logging.WARNING, "turbo_orm:default", asyncio.CancelledError()), False, "WARNING"),
        (record(logging.WARNING, "pool-1", OSError()), True, "WARNING"),
        (record(logging.INFO, "turbo_orm:default", OSError()), True, "INFO"),
        (logging.LogRecord("psycopg.pool", 30, __file__, 1, "no words", None, None), True, 30),
    ],
    ids=["an attempt", "the end of a loop", "a pool of others", "no warning", "no arguments"],
)
def test_psycopg_pool_is_silent_about_attempts_of_our_pools(written, handled, level):
    assert DemoteRepetitions().filter(written) is handled
    assert written.levelname == (level if isinstance(level, str) else "WARNING")


def test_each_attempt_is_shown_to_those_who_ask_for_it(caplog):
    with caplog.at_level(logging.DEBUG, logger="psycopg.pool"):
        logging.getLogger("psycopg.pool").warning(
            "error connecting in %r: %s", "turbo_orm:default", "refused"
        )

    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("DEBUG", "error connecting in 'turbo_orm:default': refused")
    ]
