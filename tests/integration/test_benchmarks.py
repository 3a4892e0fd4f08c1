"""The benchmarks' answers are right, and they print their tables; how fast does not matter here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.served.wrk import Load, read

ROOT = Path(__file__).resolve().parent.parent.parent


# Two requests and a report of them, in the words of wrk.
STAND_IN_FOR_WRK = f"""#!{sys.executable}
import os, sys, urllib.request
cookie = sys.argv[sys.argv.index("-H") + 1].partition(": ")
path, numbers = os.environ["BENCH_PATH"], int(os.environ["BENCH_NUMBERS"])
for number in (1, numbers):
    page = sys.argv[-1] + (path % number if "%" in path else path)
    sent = os.environ.get("BENCH_BODY")
    body = (sent % number).encode() if sent else None
    headers = {{cookie[0]: cookie[2], "Content-Type": "application/json"}}
    urllib.request.urlopen(urllib.request.Request(page, body, headers)).read()
print("  Latency Distribution\\n     50%  900.00us\\n     75%    1.50ms\\n     99%    1.10s")
print("  2 requests in 1.00s, 1.00KB read\\nRequests/sec:   2000.00\\nTransfer/sec:  1.0KB")
"""


def run_benchmark(
    name: str, *options: str, path: str = os.environ["PATH"]
) -> subprocess.CompletedProcess[str]:
    server = os.environ.get("DATABASE_URL") or os.environ["TURBO_TEST_DSN"]
    environment = {**os.environ, "DATABASE_URL": server, "PATH": path}
    # Each system sets Django up for itself.
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_answers_are_right_and_a_run_ends_in_the_tables():
    options = ("--tasks", "2", "--rounds", "1", "--seconds", "0.02")
    done = run_benchmark("plans", *options, "--systems", "turbo", "psycopg")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("answers rightly") == 6
    assert "aget() by primary key" in done.stdout
    assert "2.5 x Django's own a*" in done.stdout


@pytest.fixture
def stand_in(tmp_path):
    """A PATH whose wrk makes two requests."""
    wrk = tmp_path / "wrk"
    wrk.write_text(STAND_IN_FOR_WRK)
    wrk.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def test_both_handlers_serve_the_right_pages_and_a_run_ends_in_the_tables(stand_in):
    done = run_benchmark("serving", "--rounds", "1", "--connections", "2", path=stand_in)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("answers rightly") == 10
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Requests per second")
    (seven,) = (line for line in lines[:9] if "seven" in line and "empty" in line)
    assert seven.startswith("| empty view, the seven default middleware | 2,000 ± 0 | 2,000 ± 0 |")
    assert seven.endswith(" | ≥ 10, missed |")
    assert lines[-1].startswith("| logged in, the seven default middleware | ")
    assert lines[-1].endswith(" | 0.9 ms, 1100.0 ms |")


def test_both_kinds_of_test_case_pass_the_same_tests():
    done = run_benchmark("rollback", "--rounds", "1", "--classes", "1")
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first == "10 tests, median of 1 rounds"
    names = [" ".join(word for word in line.split() if word.isalpha()) for line in rest]
    assert names == ["TestCase s", "TransactionTestCase s", "times as fast"]


def test_all_apis_give_the_right_answers_and_a_run_ends_in_the_table(stand_in):
    options = ("--rounds", "1", "--connections", "2", "--cases", "one", "list")
    done = run_benchmark("ninja", *options, path=stand_in)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("answers rightly") == 6
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Requests per second")
    assert [line.partition(" | ")[0] for line in lines[3:]] == [
        *("| case", "| ---", "| one row", "| a list of 20 with author and tags")
    ]
    assert lines[-1].endswith(" | ≥ 2 x asynchronous, missed |")


def test_all_schemas_give_the_right_answers_and_a_run_ends_in_the_table(stand_in):
    options = ("--rounds", "1", "--connections", "2", "--cases", "list", "mutation")
    done = run_benchmark("strawberry", *options, path=stand_in)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("answers rightly") == 6
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Requests per second")
    assert [line.partition(" | ")[0] for line in lines[3:]] == [
        *("| case", "| ---", "| a list of 20 with author and tags", "| a mutation")
    ]
    assert lines[-2].endswith(" | ≥ 2 x asynchronous, missed |")


def test_without_wrk_the_serving_benchmark_says_how_to_get_it(tmp_path):
    done = run_benchmark("serving", path=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "wrk makes the requests, and is missing: apt-get install wrk\n"


def test_what_wrk_reports_is_read_in_one_unit():
    output = """Running 1s test @ http://127.0.0.1:8000
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     7.39ms    3.10ms  42.13ms   87.50%
    Req/Sec     4.41k   355.27     4.69k    90.99%
  Latency Distribution
     50%    6.87ms
     75%    7.23ms
     90%    8.55ms
     99%    1.02s
  4826 requests in 1.10s, 1.20MB read
Requests/sec:   4385.03
Transfer/sec:      1.09MB
"""
    assert read(output, cpu_seconds=1.0) == Load(
        requests=4826, per_second=4385.03, median_ms=6.87, p99_ms=1020.0, cpu_us=1e6 / 4826
    )
