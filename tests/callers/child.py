"""Run every scenario in one flavour, and write what came of it."""

from __future__ import annotations

import faulthandler
import json
import sys
import traceback
import warnings
from typing import Any

import django

django.setup()

from asgiref.sync import SyncToAsync  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402

from tests.callers.scenarios import OF_COROUTINES, SCENARIOS  # noqa: E402

TABLES = """
CREATE TABLE IF NOT EXISTS callers_row (id bigserial PRIMARY KEY, name varchar(50) UNIQUE);
CREATE TABLE IF NOT EXISTS callers_deep (
    row_ptr_id bigint PRIMARY KEY REFERENCES callers_row, more varchar(50));
TRUNCATE callers_row, callers_deep RESTART IDENTITY;
"""

# Seconds for one scenario.
DEADLINE = 30

# Held, so that none of them is closed for want of anybody who knows it.
_opened: list[Any] = []


def _note(connection: Any, **kwargs: Any) -> None:
    _opened.append(connection.connection)


def _close_all() -> None:
    connections.close_all()
    # asgiref's one thread for all that has no other.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


def _outcome(scenario: Any) -> dict[str, Any]:
    # Where every thread is, if it hangs.
    faulthandler.dump_traceback_later(DEADLINE, exit=True)
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
    _close_all()
    _opened.clear()
    found: dict[str, Any] = {"answer": None, "error": None}
    try:
        found["answer"] = scenario()
    except BaseException as error:
        found["error"] = f"{type(error).__name__}: {error}"
        if "-v" in sys.argv:
            traceback.print_exc()
    counted = scenario not in OF_COROUTINES
    found["connections"] = len(_opened) if counted else None
    found["left open"] = sum(not each.closed for each in _opened) if counted else None
    _close_all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM callers_row ORDER BY id")
        found["rows"] = [name for (name,) in cursor.fetchall()]
    return found


def main() -> None:
    """Print the outcomes as JSON."""
    warnings.simplefilter("error")
    connection_created.connect(_note)
    asked = [argument for argument in sys.argv[1:] if argument != "-v"]
    names = asked or list(SCENARIOS)
    found = {name: _outcome(SCENARIOS[name]) for name in names}
    json.dump(found, sys.stdout, default=str)


if __name__ == "__main__":
    main()
