"""The benchmarks' answers are right, and they print their tables; how fast does not matter here."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import compare, page, plots, run
from benchmarks.served.wrk import Load, NoAnswer, read

ROOT = Path(__file__).resolve().parent.parent.parent
# Seconds for a run of all peers, which takes a few on a machine that has nothing else to do.
PATIENCE = 300

pytestmark = pytest.mark.timeout(PATIENCE + 30)

# Two requests and a report of them, in the words of wrk.
STAND_IN_FOR_WRK = f"""#!{sys.executable}
import os, sys, urllib.request
cookie = sys.argv[sys.argv.index("-H") + 1].partition(": ")
path, numbers = os.environ["BENCH_PATH"], int(os.environ["BENCH_NUMBERS"])
first = int(os.environ.get("BENCH_FIRST", 0))
for number in (1, numbers) if numbers > 1 else (first + 1, first + 2):
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
    module = f"benchmarks.{name}" if name else "benchmarks"
    return run_python("-m", module, *options, path=path)


def run_code(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return run_python("-c", code, *options)


def run_python(*command: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    server = os.environ.get("DATABASE_URL") or os.environ["TURBO_TEST_DSN"]
    environment = {**os.environ, "DATABASE_URL": server, "PATH": path, "PYTHONPATH": str(ROOT)}
    # Each system sets Django up for itself.
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


RUN = ("run", "--no-file", "--rounds", "1", "--seconds", "0.01", "--warm", "0.01", "--pool", "2")


def test_every_peer_answers_rightly_and_a_run_ends_in_the_tables():
    systems = ("turbo", "django", "sqlalchemy", "tortoise", "piccolo", "asyncpg")
    options = ("--parts", "operations", "--tasks", "20", "--no-fresh", "--systems", *systems)
    done = run_benchmark("", *RUN, *options)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("of 6 systems have it and answer rightly") == 15
    assert "get or create, half of each: 5 of 6 systems" in done.stderr
    assert "- SQLAlchemy (asyncpg), get or create, half of each: it has no such" in done.stdout
    (created,) = (line for line in done.stdout.splitlines() if line.startswith("| get or create"))
    assert created.split(" | ")[3] == "-"
    assert "2.5 x Django's own a*" in done.stdout
    assert "- At 20 tasks, ahead of Turbo ORM: " in done.stdout


def test_a_wrong_answer_ends_the_run(tmp_path):
    wrong = (
        "import benchmarks.peers.raw_sql as sql, benchmarks.worker as worker\n"
        "sql.COUNT = sql.COUNT.replace('>=', '>')\n"
        "worker.main()\n"
    )
    (tmp_path / "wrong.py").write_text(wrong)
    begin = (
        "import sys, benchmarks.crew as crew\n"
        "popen = crew.subprocess.Popen\n"
        "crew.subprocess.Popen = lambda command, **options: popen("
        f"[command[0], {str(tmp_path / 'wrong.py')!r}, *command[3:]], **options)\n"
        "from benchmarks.__main__ import main\n"
        "main()\n"
    )
    options = ("--parts", "operations", "--check", "--systems", "psycopg", "--cases", "count")
    done = run_code(begin, *RUN, *options)
    assert done.returncode == 1
    assert "AssertionError: count" in done.stderr
    assert done.stderr.endswith("raw psycopg pool failed: its error is above.\n")


def test_memory_and_growth_are_measured_and_drawn(tmp_path):
    options = ("--parts", "operations", "memory", "growth", "--cases", "get")
    name = f"test-{os.getpid()}"
    arguments = [*RUN, *options, "--systems", "psycopg", "--name", name]
    arguments += ["--tasks", "20", "--pool", "20"]
    arguments.remove("--no-file")
    done = run_benchmark("", *arguments)
    written = list((ROOT / "benchmarks" / "results").glob(f"*-{name}*"))
    try:
        assert done.returncode == 0, done.stderr
        (path,) = (each for each in written if each.suffix == ".json")
        found = json.loads(path.read_text())
        assert found["memory"]["psycopg"]["backends"] == 20
        assert list(found["growth"]["rows"]) == ["1", "10", "100", "1000", "10000"]
        assert found["postgresql"]["fsync"] in ("on", "off")
        drawn = path.with_suffix("")
        pictures = ["concurrency.svg", "operations.svg", "rows.svg"]
        assert sorted(each.name for each in drawn.iterdir()) == pictures
        again = [each.read_bytes() for each in plots.draw(found, tmp_path)]
        assert again == [(drawn / each.name).read_bytes() for each in plots.draw(found, tmp_path)]
        assert b"Date" not in again[0]
        everything = "\n".join(page.whole(found, path))
        assert "### Memory: 200 operations wait" in everything
        assert f"[{path.name}](../benchmarks/results/{path.name})" in everything
    finally:
        for each in written:
            shutil.rmtree(each) if each.is_dir() else each.unlink()


@pytest.fixture
def stand_in(tmp_path):
    """A PATH whose wrk makes two requests."""
    wrk = tmp_path / "wrk"
    wrk.write_text(STAND_IN_FOR_WRK)
    wrk.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def test_all_servers_give_the_right_pages_and_a_run_ends_in_the_table(stand_in):
    options = ("--parts", "pages", "--page-rounds", "1", "--page-seconds", "1", "--page-warm", "0")
    done = run_benchmark("", *RUN, *options, path=stand_in)
    assert done.returncode == 0, done.stderr
    # Two of six servers have no sessions.
    assert done.stderr.count("answers rightly") == 5 * 6 - 2
    lines = done.stdout.splitlines()
    (session,) = (
        line
        for line in lines
        if line.startswith("| logged in") and "goal" not in line and "ms" not in line
    )
    assert session == (
        "| logged in, the seven default middleware | 2,000 ± 0 (1.00) | 2,000 ± 0 (1.00)"
        " | 2,000 ± 0 (1.00) | 2,000 ± 0 (1.00) | - | - | ≥ 5, missed |"
    )
    assert "- Starlette, asyncpg: it has no sessions and users of its own." in lines


def test_both_kinds_of_test_case_pass_the_same_tests():
    done = run_benchmark("rollback", "--rounds", "1", "--classes", "1")
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first == "10 tests, median of 1 rounds"
    names = [" ".join(word for word in line.split() if word.isalpha()) for line in rest]
    assert names == ["TestCase s", "TransactionTestCase s", "times as fast"]


@pytest.mark.parametrize(
    ("name", "systems", "cases", "goals"),
    [
        (
            "drf",
            4,
            ("list", "create"),
            {
                "a list of 20 with author and tags": "≥ 1 x stock DRF, ahead of all, missed",
                "create with a UniqueValidator and tags": "≥ 1 x stock DRF, ahead of all, missed",
            },
        ),
        (
            "ninja",
            3,
            ("one", "list"),
            {
                "one row": "≥ 3 x asynchronous, missed",
                "a list of 20 with author and tags": "≥ 2 x asynchronous, missed",
            },
        ),
        (
            "strawberry",
            3,
            ("list", "mutation"),
            {
                "a list of 20 with author and tags": "≥ 2 x asynchronous, missed",
                "a mutation": "≥ 1 x asynchronous, reached",
            },
        ),
    ],
)
def test_all_apis_give_the_right_answers_and_a_run_ends_in_the_table(
    name, systems, cases, goals, stand_in
):
    options = ("--rounds", "1", "--connections", "2", "--cases", *cases)
    done = run_benchmark(name, *options, path=stand_in)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("answers rightly") == systems * len(cases)
    first, _, _, head, _, *rows = done.stdout.splitlines()
    assert first.startswith("Requests per second")
    # Each system's figures, those of Turbo ORM beside each other's, and the goal.
    assert [cell.startswith("x ") for cell in head.split(" | ")] == [
        *[False] * (1 + systems),
        *[True] * (systems - 1),
        False,
    ]
    found = [line.strip("| ").split(" | ") for line in rows]
    assert {cells[0]: cells[-1] for cells in found} == goals
    assert all(cell.startswith("2,000 ± 0, ") for cells in found for cell in cells[1:-systems])
    assert all(cell.startswith("1.0 (") for cells in found for cell in cells[-systems:-1])


def test_without_wrk_a_run_says_how_to_get_it(tmp_path):
    done = run_benchmark("", "run", path=str(tmp_path))
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


def test_a_time_too_short_for_an_answer_is_told_from_a_failure():
    output = "  50%  0.00us\n 99%  0.00us\n  0 requests in 1.10s, 0.00B read\nRequests/sec: 0.00\n"
    with pytest.raises(NoAnswer):
        read(output, cpu_seconds=1.0)


def test_only_a_whole_run_changes_the_documentation(capsys):
    def asked(*options):
        parser = argparse.ArgumentParser()
        run.add_options(parser)
        chosen = run.complete(parser.parse_args(["--page", *options]))
        return chosen.name, chosen.page

    assert asked() == ("full", True)
    assert asked("--rounds", "9") == ("full", True)
    assert asked("--cases", "get") == ("part", False)
    assert asked("--quick") == ("quick", False)
    assert capsys.readouterr().err.count("docs/performance.md stays as it is") == 2


def results_of(*microseconds: float) -> dict:
    samples = [{"wall": each} for each in microseconds]
    return {
        "commit": "abc",
        "when": "2026-01-01",
        "operations": {"get": {"20": {"turbo": samples, "django": samples}}},
    }


def test_runs_that_differ_by_less_than_their_rounds_are_the_same():
    before, after = results_of(100, 110, 90), results_of(105, 116, 94)
    lines = list(compare.lines(before, after))
    assert lines[-1].startswith("0 of 2 figures changed by more than the noise; the median change")
    assert not any(line.startswith("| ") for line in lines)


def test_a_change_beyond_the_noise_is_shown_with_it():
    before, after = results_of(100, 101, 99), results_of(50, 50.5, 49.5)
    after["operations"]["get"]["20"]["django"] = before["operations"]["get"]["20"]["django"]
    shown = [line for line in compare.lines(before, after) if line.startswith("| one row")]
    figure = "one row by primary key | 20 tasks | Turbo ORM | 10,000 ± 99 | 20,000 ± 198"
    assert shown == [f"| {figure} | +100.0% | ± 4.2% |"]
    everything = list(compare.lines(before, after, everything=True))
    assert everything[-1].endswith(" | +0.0% (noise) | ± 4.2% |")


def test_a_page_without_the_marks_is_not_touched(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "ROOT", tmp_path)
    unmarked = tmp_path / "page.md"
    unmarked.write_text("# A page\n")
    with pytest.raises(SystemExit, match="no place marked <!-- results: begin -->"):
        page.replace(unmarked, "results", ["figures"])
    assert unmarked.read_text() == "# A page\n"


def test_only_what_stands_between_the_marks_is_replaced(tmp_path):
    marked = tmp_path / "page.md"
    text = "before\n<!-- results: begin -->{}<!-- results: end -->\nafter\n"
    marked.write_text(text.format("old"))
    page.replace(marked, "results", ["figures"])
    assert marked.read_text() == text.format("\n\nfigures\n\n")
    page.replace(marked, "results", ["Django's a* and a*"])
    assert marked.read_text() == text.format("\n\nDjango's `a*` and `a*`\n\n")


def test_both_pages_have_their_marks():
    for path, name in ((page.PAGE, "results"), (page.README, "short results")):
        assert page.BEGIN.format(name=name) in path.read_text()
        assert page.END.format(name=name) in path.read_text()
