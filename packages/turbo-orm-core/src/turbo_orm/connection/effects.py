"""What a statement may do to its session, decided from its text: in doubt it changes it.

A function of one's own cannot be seen through: ``TURBO_ORM["RESET_SESSIONS"] = "always"`` is for
projects that change sessions in such functions.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from psycopg.sql import Composable


class Effect(NamedTuple):
    """What a statement may do to its session.

    Args:
        changes: it may leave the session different from a new one.
        rolls_back: it may undo what was set for the running transaction.
        controls: it begins, ends or configures a transaction, and reads nothing.
    """

    changes: bool
    rolls_back: bool = False
    controls: bool = False


NONE = Effect(changes=False)
UNREADABLE = Effect(changes=True, rolls_back=True)

# First words of statements that leave a session as it was. Any other first word changes it.
_HARMLESS = (
    "abort alter analyse analyze begin checkpoint close cluster comment commit copy create declare "
    "delete drop end explain fetch grant import insert lock merge move notify reassign refresh "
    "reindex release revoke rollback savepoint security select show start table truncate update "
    "vacuum values with"
)
HARMLESS = frozenset(_HARMLESS.split())
CONTROL = frozenset(
    ("abort", "begin", "commit", "end", "release", "rollback", "savepoint", "start")
)
ROLLS_BACK = frozenset(["abort", "commit", "end", "rollback"])
# SET, but only for the running transaction.
HARMLESS_TWICE = re.compile(r"(?:set\s+(?:local|transaction|constraints)|prepare\s+transaction)\b")
SET_TRANSACTION = re.compile(r"set\s+(?:session\s+characteristics\b|transaction\b)")

# Looked for in the whole text, also in strings: some functions execute a string. A plain substring
# search first, since nearly every statement has none of these.
HINTS = (
    *("set_config", "advisory_", "temp", "hold", "setseed", "set_limit", "dblink_connect"),
    *("replication_origin_session", "query_to_", "cursor_to_xml", 'u&"', "pg_settings"),
)
CHANGING = re.compile(
    r"\bpg_(?:try_)?advisory_(?:lock|unlock)"
    r"|\b(?:create|into)\s+(?:or\s+replace\s+)?(?:local\s+|global\s+)?temp(?:orary)?\b"
    r"|\bpg_temp(?:_\d+)?\b"
    r"|\bwith\s+hold\b"
    r'|\b(?:setseed|set_limit|dblink_connect\w*|query_to_\w+|cursor_to_xml\w*)"?\s*\('
    r"|\bpg_replication_origin_session"
    r'|\bu&"'
    # The view that shows the settings can be written to.
    r"|\bupdate\b[^;]*\bpg_settings\b"
)
SET_CONFIG = re.compile(r'\bset_config"?\s*\(')
# What is no code: comments, strings and dollar-quoted bodies. Quoted names are kept, so that a
# semicolon in one counts as the end of a statement: one statement too many is found, none too few.
MASKED = re.compile(
    r"--[^\n]*"
    r"|/\*.*?\*/"
    r"|\be'(?:[^'\\]|''|\\.)*'"
    r"|'(?:[^']|'')*'"
    r"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.DOTALL,
)
# Comments nest in PostgreSQL, which a regular expression cannot follow.
NESTED = re.compile(r"/\*(?:(?!\*/).)*?/\*", re.DOTALL)
FIRST_WORD = re.compile(r"[\s(]*([a-z]*)")

# Statements that were looked at. Long ones would fill the memory.
SEEN_MAX = 2048
SEEN_LENGTH_MAX = 4096
_seen: dict[str, Effect] = {}


def effect_of(query: Any) -> Effect:
    """Return what a statement may do to its session.

    Args:
        query: what a psycopg cursor is given: a string, bytes, or a ``Composable``.
    """
    if type(query) is not str:
        text = _as_text(query)
        if text is None:
            return UNREADABLE
        query = text
    known = _seen.get(query)
    if known is not None:
        return known
    effect = _look(query.lower())
    if len(query) <= SEEN_LENGTH_MAX:
        if len(_seen) >= SEEN_MAX:
            _seen.clear()
        _seen[query] = effect
    return effect


def _as_text(query: Any) -> str | None:
    try:
        if isinstance(query, str):
            return str(query)
        if isinstance(query, bytes | bytearray | memoryview):
            return bytes(query).decode("utf-8", "replace")
        if isinstance(query, Composable):
            return query.as_string(None)
    except Exception:
        return None  # the cursor will say what is wrong with it
    return None  # a template string, whose text psycopg makes when it executes it


def _look(text: str) -> Effect:
    changes = any(hint in text for hint in HINTS) and _calls_what_changes(text)
    if ";" not in text and "--" not in text and "/*" not in text:
        return _of_one(text, changes)
    masked = MASKED.sub(_blank, text)
    # The words of a hint may have a comment between them.
    changes = changes or CHANGING.search(masked) is not None or NESTED.search(text) is not None
    return _of_many(masked, changes)


def _of_one(text: str, changes: bool) -> Effect:
    """Return the effect of a statement, without comments."""
    word = _first_word(text)
    stripped = text.lstrip(" \t\n\r\f\v(")
    if not changes and word not in HARMLESS:
        changes = bool(word) and HARMLESS_TWICE.match(stripped) is None
    controls = word in CONTROL or SET_TRANSACTION.match(stripped) is not None
    if not (changes or controls):
        return NONE
    return Effect(changes, word in ROLLS_BACK, controls)


def _of_many(text: str, changes: bool) -> Effect:
    # A string that does not end where we think it does may hide a statement.
    effects = [_of_one(part, changes) for part in text.split(";") if part.strip(" \t\n\r\f\v(")]
    if not effects:
        return Effect(changes) if changes else NONE
    return Effect(
        changes or any(effect.changes for effect in effects),
        any(effect.rolls_back for effect in effects),
        all(effect.controls for effect in effects),
    )


def _first_word(text: str) -> str:
    found = FIRST_WORD.match(text)
    word = found[1] if found else ""
    if not word and text.strip(" \t\n\r\f\v("):
        return "?"  # begins with something else than a word: unknown
    return word


def _blank(found: re.Match[str]) -> str:
    """Return filler of the same length: a space for a comment, a quoted nothing for a string."""
    masked = found[0]
    if masked.startswith(("--", "/*")):
        return " " * len(masked)
    return "'" + "_" * (len(masked) - 2) + "'"


def _calls_what_changes(text: str) -> bool:
    return CHANGING.search(text) is not None or _sets_for_the_session(text)


def _sets_for_the_session(text: str) -> bool:
    """Tell whether set_config() is called with anything but a literal ``true`` at the end."""
    if "set_config" not in text:
        return False
    masked = MASKED.sub(_blank, text)
    calls = list(SET_CONFIG.finditer(masked))
    if len(calls) != len(SET_CONFIG.findall(text)):
        return True  # one stands in a string, which may be executed
    return not all(_is_local(masked, call.end()) for call in calls)


def _is_local(text: str, start: int) -> bool:
    """Tell whether the last argument of the call whose arguments start there is ``true``."""
    depth, last = 0, start
    for position in range(start, len(text)):
        character = text[position]
        if character in "([":
            depth += 1
        elif character in ")]":
            if depth == 0:
                argument = text[last:position].replace("is_local", "").replace("=>", "")
                return argument.strip() == "true"
            depth -= 1
        elif character == "," and depth == 0:
            last = position + 1
    return False
