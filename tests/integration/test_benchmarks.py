"""The benchmarks' answers are right, and they print their tables; how fast does not matter here."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def run_plans(*options: str) -> subprocess.CompletedProcess[str]:
    server = os.environ.get("DATABASE_URL") or os.environ["TURBO_TEST_DSN"]
    environment = {**os.environ, "DATABASE_URL": server}
    # Each system sets Django up for itself.
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.plans", "--tasks", "2", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_answers_are_right_and_a_run_ends_in_the_tables():
    done = run_plans("--systems", "turbo", "psycopg", "--rounds", "1", "--seconds", "0.02")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("answers rightly") == 6
    assert "aget() by primary key" in done.stdout
    assert "2.5 x Django's own a*" in done.stdout
