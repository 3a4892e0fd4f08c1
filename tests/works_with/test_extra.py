"""Controllers of django-ninja-extra answer as it does, in the bridge, without a thread."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def seen(tmp_path_factory):
    """What both kinds have answered, in a process and a database of their own."""
    path = tmp_path_factory.mktemp("extra") / "seen"
    done = subprocess.run(
        [sys.executable, "-m", "tests.works_with.extra", path],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return json.loads(path.read_text())


def without_statements(answers):
    return {
        name: {key: value for key, value in answer.items() if key != "statements"}
        for name, answer in answers.items()
    }


def test_controllers_answer_as_synchronous_ones_do_and_leave_the_same_rows(seen):
    stock, ours = seen["stock"], seen["ours"]

    assert without_statements(ours["answers"]) == without_statements(stock["answers"])
    assert ours["rows"] == stock["rows"]
    statuses = {answer["status"] for answer in stock["answers"].values()}
    assert statuses >= {200, 201, 204, 401, 403, 404, 418, 422, 429}


# Of each a permission that is a coroutine function is asked. A synchronous controller has a thread
# for that, with a connection of its own, whose statement is not among those counted.
ASKING_IN_A_THREAD = {
    *("permissions, and", "permissions, and, refused", "permissions, or, refused"),
    *("permissions, not", "permissions, not, refused"),
}


def test_no_controller_asks_more_often_than_a_synchronous_one(seen):
    stock, ours = (
        {name: answer["statements"] for name, answer in seen[kind]["answers"].items()}
        for kind in ("stock", "ours")
    )
    stock |= {name: stock[name] + 1 for name in ASKING_IN_A_THREAD}

    assert {name: (ours[name], stock[name]) for name in ours if ours[name] > stock[name]} == {}
    # The rows with their authors, profiles, and tags.
    assert (ours["list"], ours["plain"]) == (2, 2)
    assert stock["list"] > 10


def test_many_at_once_answer_the_same_and_give_all_connections_back(seen):
    assert [status for status, _ in seen["many"]] == [200]
    assert seen["lent"] == 0


def test_all_that_is_replaced_in_ninja_extra_is_there(seen):
    assert seen["told"] == []
