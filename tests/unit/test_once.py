"""What several processes of a run need is made by the first that asks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.once import once_per_run


class Factory:
    """A process's folders, in that of the run."""

    def __init__(self, run, worker):
        self.base = run / worker
        self.base.mkdir()

    def getbasetemp(self):
        return self.base

    def mktemp(self, name):
        (self.base / name).mkdir()
        return self.base / name


@pytest.fixture
def workers(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    return [Factory(tmp_path, f"gw{number}") for number in range(2)]


@pytest.mark.needs_thread("each stands for a process")
def test_the_second_process_gets_what_the_first_has_made(workers):
    made = []

    def make(folder: Path):
        made.append(folder)
        (folder / "found").write_text("here")

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda each: once_per_run(each, "thing", make), workers)
    assert first == second
    assert (first / "found").read_text() == "here"
    assert len(made) == 1


def test_what_fails_to_be_made_is_tried_again_by_the_next(workers):
    with pytest.raises(ZeroDivisionError):
        once_per_run(workers[0], "thing", lambda folder: 1 / 0)
    assert [*once_per_run(workers[1], "thing", lambda folder: None).iterdir()] == []
