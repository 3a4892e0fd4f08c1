"""Empty databases between tests: only what a test wrote to is touched."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.apps import apps

from tests.straight import connect
from tests.waiting import until_now

ALIASES = ("default", "other")
FILLED = ("contenttypes.ContentType", "auth.Permission")
# The first PostgreSQL that forgets how large a table was.
CLEARS_STATISTICS = 18_00_00
IN_TRANSACTION = (
    "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    "AND datname = current_database() AND state ~ 'in transaction'"
)
# Sequences that were used before the first test keep their numbers.
USED = "SELECT quote_ident(sequencename) FROM pg_sequences WHERE last_value IS NOT NULL"


class Cleaner:
    """Keeps one connection to the database of an alias; TRUNCATE takes ten times as long."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.connection = connect(alias)
        # Whether nothing was written since it was cleaned.
        self.cleaned = False
        kept = [name for (name,) in self.connection.execute(USED)]
        tables = ", ".join(
            f"CASE WHEN EXISTS (SELECT 1 FROM \"{table}\") THEN '{table}' END"
            for table in tables_of_tests()
        )
        self.find = (
            f"SELECT array_remove(ARRAY[{tables}], NULL), "
            f"ARRAY({USED} AND quote_ident(sequencename) <> ALL (%s)), ({IN_TRANSACTION})"
        )
        self.arguments = [kept]

    def clean(self) -> None:
        """Delete all rows, and count from 1 again."""
        # The server may not have seen yet that a session was closed.
        tables, sequences = until_now(self._written)
        if tables or sequences:
            # One transaction: foreign keys are only checked at its end.
            deleted = [f'DELETE FROM "{table}"' for table in tables]
            # Not by ALTER SEQUENCE: a new file for each would take longer than all the rest.
            restarted = [f"SELECT setval('{name}', 1, false)" for name in sequences]
            self.connection.execute("; ".join(["BEGIN", *deleted, *restarted, "COMMIT"]))
        if tables:
            self._forget(tables)
        self.cleaned = True

    def _written(self) -> tuple[list[str], list[str]] | None:
        """Return what has rows, and what has counted; nothing while a transaction is open."""
        tables, sequences, busy = self.connection.execute(
            self.find, self.arguments, prepare=True
        ).fetchone()
        return None if busy else (tables, sequences)

    def _forget(self, tables: list[str]) -> None:
        """Let tables be as new ones: in which order rows come may depend on it."""
        self.connection.execute("VACUUM " + ", ".join(f'"{table}"' for table in tables))
        if self.connection.info.server_version >= CLEARS_STATISTICS:
            self.connection.execute(
                "SELECT pg_clear_relation_stats(current_schema(), name) "
                "FROM unnest(%s::text[]) AS name",
                [tables],
            )


def tables_of_tests() -> set[str]:
    """Return the tables of all models, but for those that migrations fill."""
    return {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label not in FILLED
    }


@contextmanager
def cleaners() -> Iterator[list[Cleaner]]:
    """Connect a cleaner to each database."""
    with ExitStack() as stack:
        made = [Cleaner(alias) for alias in ALIASES]
        for cleaner in made:
            stack.callback(cleaner.connection.close)
        yield made
