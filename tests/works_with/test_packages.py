"""Packages with thread-locals do with Turbo ORM what they do without, for six users at once."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.works_with.flavours import AS_STOCK, KINDS

ROOT = Path(__file__).resolve().parent.parent.parent
CASES = (
    *("allauth", "cacheops_invalidation", "cacheops_transaction", "crum", "currentuser", "mptt"),
    *("multitenant", "pghistory", "pgtrigger", "silk"),
)
USERS = 6
# Where stock Django itself mixes up what belongs to a task: a queryset is made on the event loop,
# which has no tenant; children of one request share the one thread for all that is synchronous, and
# coroutines do not share it with their caller.
STOCK_DIFFERS = {
    ("allauth", "gather"),
    *(("multitenant", kind) for kind in ("between", "coroutine", "gather")),
}


@pytest.fixture(scope="session")
def seen(tmp_path_factory):
    """What each flavour answered, in a process and a database of its own."""
    folder = tmp_path_factory.mktemp("seen")

    def run(flavour):
        done = subprocess.run(
            [sys.executable, "-m", "tests.works_with", folder / flavour],
            cwd=ROOT,
            env={**os.environ, "WORKS_WITH_FLAVOUR": flavour},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{flavour}: {done.stdout}"
        return json.loads((folder / flavour).read_text())

    with ThreadPoolExecutor(2) as running:
        return dict(zip(KINDS, running.map(run, KINDS), strict=True))


def answers(seen, flavour, case, kind):
    """Return what was seen for each user, in each round."""
    return {
        tuple(path.split("/")[3:]): answer
        for path, answer in seen[flavour]["seen"].items()
        if path.startswith(f"/{case}/{kind}/")
    }


def expected(case, kind):
    """Return what every user must see, whoever else is served."""
    right = {
        "allauth": lambda n, text: [None, None if n % 2 else f"user{n}"],
        "cacheops_invalidation": lambda n, text: n % 2 == 1,
        "cacheops_transaction": lambda n, text: n % 2 == 1,
        "crum": lambda n, text: f"user{n}",
        "currentuser": lambda n, text: f"user{n}",
        "mptt": lambda n, text: [n % 2 == 0, n % 2 == 1],
        "multitenant": lambda n, text: [f"tenant{n}"],
        "pghistory": lambda n, text: [True, f"/pghistory/{text}"],
        "pgtrigger": lambda n, text: 1 - n % 2,
        "silk": lambda n, text: None,
    }[case]
    found = {}
    for round_ in ("0", "1"):
        for number in range(USERS):
            one = right(number, f"{kind}/{round_}/user{number}")
            found[round_, f"user{number}"] = [one, one] if kind == "gather" else one
    return found


SERVED = [
    (flavour, case, kind) for flavour, kinds in KINDS.items() for case in CASES for kind in kinds
]


@pytest.mark.parametrize(
    ("flavour", "case", "kind"), [each for each in SERVED if each[0] not in AS_STOCK]
)
def test_every_user_sees_what_is_the_users_own(seen, flavour, case, kind):
    assert answers(seen, flavour, case, kind) == expected(case, kind)


@pytest.mark.parametrize(
    ("flavour", "case", "kind"), [each for each in SERVED if each[0] in AS_STOCK]
)
def test_stock_django_says_the_same_but_where_it_is_known_to_differ(seen, flavour, case, kind):
    same = answers(seen, flavour, case, kind) == expected(case, kind)
    assert same == ((case, kind) not in STOCK_DIFFERS)


@pytest.mark.parametrize("flavour", KINDS)
def test_silk_profiles_each_requests_queries_under_the_request(seen, flavour):
    assert seen[flavour]["left"]["profiled"] == {
        f"/silk/{kind}/{round_}/user{number}": [f"{kind}/{round_}/user{number}"]
        for kind in KINDS[flavour]
        for round_ in range(2)
        for number in range(USERS)
    }


@pytest.mark.parametrize("flavour", KINDS)
def test_mptts_tree_is_right_when_some_requests_delay_its_updates(seen, flavour):
    assert seen[flavour]["left"]["tree"]
