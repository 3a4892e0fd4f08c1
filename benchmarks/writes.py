"""The operations that write: what the tables hold before, and what they must hold after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .rows import KEPT_WORLDS, WORLDS

BULK = 1000
Arguments = Sequence[tuple[Any, ...]]


class Writing(NamedTuple):
    """An operation whose every call has other arguments, counted from 1."""

    name: str
    title: str
    nth: Callable[[int], tuple[Any, ...]]
    # SQL that makes the tables ready for so many operations; %(count)s is their number.
    prepare: str
    # SQL that shows what they did, and what it must show.
    shows: str
    expected: Callable[[Arguments], list[tuple[Any, ...]]]


def note_title(number: int) -> str:
    """Return the title of a note."""
    return f"Note {number}"


def bulk_rows(number: int) -> list[tuple[str, int]]:
    """Return the titles and views of the notes of one bulk."""
    return [(f"Bulk {number}, {index}", index) for index in range(BULK)]


def some_world(number: int) -> int:
    """Return the key of a world: neighbours in time are not neighbours in the table."""
    return number * 7907 % (WORLDS - KEPT_WORLDS) + KEPT_WORLDS + 1


EMPTY_NOTES = "TRUNCATE newsdesk_note RESTART IDENTITY"
ALL_NOTES = "SELECT title, views FROM newsdesk_note ORDER BY id"
OLD_WORLDS = "UPDATE newsdesk_world SET randomnumber = 0 WHERE randomnumber < 0"
NEW_WORLDS = (
    "SELECT id, randomnumber FROM newsdesk_world WHERE randomnumber < 0 ORDER BY randomnumber DESC"
)

WRITES = (
    Writing(
        "create",
        "create",
        lambda number: (note_title(number), number),
        EMPTY_NOTES,
        ALL_NOTES,
        lambda given: [(title, views) for title, views in given],
    ),
    Writing(
        "update",
        "update",
        # Negative numbers are what a run wrote.
        lambda number: (some_world(number), -number),
        OLD_WORLDS,
        NEW_WORLDS,
        lambda given: [(key, value) for key, value in given],
    ),
    Writing(
        "delete",
        "delete",
        lambda number: (number,),
        "TRUNCATE newsdesk_draft RESTART IDENTITY; INSERT INTO newsdesk_draft (title)"
        " SELECT 'Draft ' || number FROM generate_series(1, %(count)s) AS number",
        "SELECT min(id) FROM newsdesk_draft",
        lambda given: [(given[-1][0] + 1,)],
    ),
    Writing(
        "bulk_create",
        f"bulk create of {BULK:,}",
        lambda number: (bulk_rows(number),),
        EMPTY_NOTES,
        ALL_NOTES,
        lambda given: [row for (rows,) in given for row in rows],
    ),
    Writing(
        "get_or_create",
        "get or create, half of each",
        lambda number: (note_title(number), 1),
        f"{EMPTY_NOTES}; INSERT INTO newsdesk_note (title, views)"
        " SELECT 'Note ' || number, 0 FROM generate_series(2, %(count)s, 2) AS number",
        # Those that were there keep their views.
        "SELECT title FROM newsdesk_note WHERE views = 1 ORDER BY id",
        lambda given: [(title,) for title, _ in given[::2]],
    ),
    Writing(
        "transaction",
        "a transaction: select, update, insert",
        lambda number: (some_world(number), -number, note_title(number)),
        f"{EMPTY_NOTES}; {OLD_WORLDS}",
        "SELECT world.id, randomnumber, title FROM newsdesk_note AS note"
        " JOIN newsdesk_world AS world ON randomnumber = - note.id ORDER BY note.id",
        lambda given: [tuple(each) for each in given],
    ),
)
