"""The example's own tests, in both styles."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(150)

NEWSROOM = Path(__file__).resolve().parent.parent.parent / "examples" / "newsroom"


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        (("manage.py", "test", "--noinput"), r"^Ran 14 tests in .*\n\nOK$"),
        (("-m", "pytest", "-q", "-p", "no:cacheprovider"), r"^18 passed in "),
    ],
    ids=["django", "pytest"],
)
def test_the_examples_tests_pass(command, outcome):
    environment = {
        key: value
        for key, value in os.environ.items()
        if "PYTEST" not in key and key != "DJANGO_SETTINGS_MODULE"
    }
    environment["DATABASE_URL"] = os.environ.get("DATABASE_URL") or os.environ["TURBO_TEST_DSN"]
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=NEWSROOM,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(outcome, done.stdout, re.MULTILINE), done.stdout
