"""A project whose tests roll back: run as its users would, then looked into."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

# Each starts Django, several of them twice.
pytestmark = pytest.mark.timeout(300)

PROJECT = Path(__file__).resolve().parent.parent / "rollback"
SERVER = os.environ.get("DATABASE_URL") or os.environ.get("TURBO_TEST_DSN", "")
# Filled by Django's commands, and not by tests.
FILLED = {"auth_permission", "bank_currency", "django_content_type", "django_migrations"}
DJANGO = ("manage.py", "test", "--noinput", "--keepdb")
# What no test here uses, and takes half a second to import.
UNUSED = ("cacheprovider", "faker", "hypothesispytest")
PYTEST = ("-m", "pytest", "-q", *(word for name in UNUSED for word in ("-p", f"no:{name}")))


@pytest.fixture
def name():
    """The beginning of the names of this run's databases, which are dropped afterwards."""
    chosen = f"rollback_{os.getpid()}"
    yield chosen
    with psycopg.connect(SERVER, autocommit=True) as connection:
        for database in databases(chosen):
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(database)))


def databases(name):
    with psycopg.connect(SERVER) as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1"
        return [row[0] for row in connection.execute(query, [name])]


def run(name, *command, sabotage="", alone=False):
    """Run a command in the project; return its exit code and what it printed."""
    environment = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    environment |= {
        "DATABASE_URL": SERVER,
        "DJANGO_SETTINGS_MODULE": "settings",
        "ROLLBACK_KEEPDB": "1",
        "ROLLBACK_NAME": name,
        "ROLLBACK_SABOTAGE": sabotage,
    }
    if alone:
        del environment["DJANGO_SETTINGS_MODULE"]
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def rows_left(name):
    """Return how many rows each table of each database of a run has, if any."""
    found = {}
    for database in databases(name):
        with psycopg.connect(make_conninfo(SERVER, dbname=database)) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (table,) in tables:
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
                ((count,),) = connection.execute(query).fetchall()
                if count and table not in FILLED:
                    found[database, table] = count
    return found


@pytest.mark.parametrize("order", [("--shuffle",), ("--parallel", "2", "--reverse")])
def test_djangos_runner_passes_every_test_and_leaves_no_row(name, order):
    code, output = run(name, *DJANGO, *order)
    # Not how many "ran": Python 3.12.1 leaves skipped ones out (python/cpython#113267).
    assert (code, re.findall(r"Found (\d+) test", output)) == (0, ["61"]), output
    assert re.search(r"^OK \(skipped=1, expected failures=1\)$", output, re.MULTILINE), output
    assert len(databases(name)) == (6 if "--parallel" in order else 2)
    assert rows_left(name) == {}


def test_pytest_django_passes_every_test_leaves_no_row_and_uses_the_databases_again(name):
    code, output = run(name, *PYTEST, "--reuse-db", "--create-db")
    assert code == 0, output
    assert outcomes(output) == {"passed": 101, "skipped": 1, "xfailed": 1}
    assert databases(name) == [f"{name}_default", f"{name}_other"]
    assert rows_left(name) == {}
    with psycopg.connect(make_conninfo(SERVER, dbname=f"{name}_default")) as connection:
        connection.execute("CREATE TABLE kept ()")
    code, output = run(name, *PYTEST, "--reuse-db", "functions/test_with_anyio.py")
    assert (code, outcomes(output)) == (0, {"passed": 3}), output
    with psycopg.connect(make_conninfo(SERVER, dbname=f"{name}_default")) as connection:
        connection.execute("SELECT FROM kept")


def test_pytest_passes_every_test_without_pytest_django_and_leaves_no_row(name):
    code, output = run(name, *PYTEST, "-p", "no:django")
    assert code == 0, output
    assert outcomes(output) == {"passed": 99, "skipped": 1, "xfailed": 1}
    assert databases(name) == [f"{name}_default", f"{name}_other"]
    assert rows_left(name) == {}


def test_two_processes_have_databases_of_their_own(name):
    code, output = run(name, *PYTEST, "--reuse-db", "-n", "2", "functions")
    assert code == 0, output
    assert outcomes(output) == {"passed": 42}
    assert databases(name) == [
        f"{name}_{alias}_gw{n}" for alias in ("default", "other") for n in (0, 1)
    ]
    assert rows_left(name) == {}


def outcomes(output):
    """Read pytest's last line; unexpected words in it count too."""
    last = output.strip().splitlines()[-1].partition(" in ")[0]
    words = Counter({word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last)})
    del words["subtests"], words["deselected"]
    return words


@pytest.mark.parametrize("sabotage", ["nothing_shared", "root_left_behind", "commit"])
def test_broken_isolation_is_noticed_in_both_styles(name, sabotage):
    tests = ("cases/test_data.py", "functions/test_on_a_loop_per_test.py")
    # Twenty tracebacks through Django would take longer to print than the tests.
    code, output = run(name, *PYTEST, "--tb=no", *tests, sabotage=sabotage)
    assert code == 1, output
    failed = set(re.findall(r"^(?:FAILED|ERROR) (\w+/\w+\.py)", output, re.MULTILINE))
    assert failed == set(tests), output


def test_the_plugin_does_nothing_where_there_is_no_django(name, tmp_path):
    (tmp_path / "test_plain.py").write_text(
        "import sys\n\ndef test_plain():\n    assert 'django' not in sys.modules\n"
    )
    # Faker's plugin would import it.
    only = ("-p", "turbo_orm.test.plugin", "--rootdir", str(tmp_path), str(tmp_path))
    code, output = run(name, "-m", "pytest", "-q", "-c", os.devnull, *only, alone=True)
    assert (code, outcomes(output)) == (0, {"passed": 1}), output


MARKED = """
import threading
import pytest

@pytest.mark.no_threads
def test_a_thread_is_refused():
    with pytest.raises(AssertionError, match="builtins.len was sent to a thread"):
        threading.Thread(target=len, args=("abc",)).start()
"""


def test_the_marker_fails_a_test_that_swallows_the_refusal(name, tmp_path):
    (tmp_path / "test_marked.py").write_text(MARKED)
    code, output = run(name, *PYTEST, "-c", "pytest.ini", str(tmp_path))
    assert (code, outcomes(output)) == (1, {"passed": 1, "error": 1}), output
    assert "AssertionError: builtins.len was sent to a thread" in output
    assert databases(name) == []
