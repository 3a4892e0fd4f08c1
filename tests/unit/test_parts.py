"""Which tests run on which combination of versions."""

import pytest

from tests.parts import CORE, ENGINE, PARTS, PYTHON, TESTS, parts_of, pytest_ignore_collect


def test_a_new_file_is_in_the_core_and_runs_everywhere():
    assert parts_of("integration/test_of_tomorrow.py") == ["core"]


def test_a_file_may_be_the_engines_concern_besides():
    assert parts_of("integration/test_pool.py") == ["core", "engine", "python"]
    assert parts_of("faults/test_server.py") == ["core", "engine", "faults"]
    assert parts_of("integration/test_drf_views.py") == ["adapters"]


def test_every_pattern_names_a_file_and_no_file_is_in_two_parts():
    for pattern in [*ENGINE, *PYTHON, *(each for patterns in PARTS.values() for each in patterns)]:
        assert [*TESTS.glob(pattern)], pattern
    for file in TESTS.glob("*/test_*.py"):
        assert len(set(parts_of(file.relative_to(TESTS).as_posix())) & {CORE, *PARTS}) == 1


@pytest.mark.parametrize("part", [None, CORE, "engine", "house"])
def test_only_the_files_of_the_part_that_is_asked_for_are_read(part, pytestconfig, monkeypatch):
    monkeypatch.setattr(pytestconfig.option, "part", part)
    read = {
        file.relative_to(TESTS).as_posix()
        for file in TESTS.glob("*/test_*.py")
        if not pytest_ignore_collect(file, pytestconfig)
    }
    every = {file.relative_to(TESTS).as_posix() for file in TESTS.glob("*/test_*.py")}
    assert read == {file for file in every if part is None or part in parts_of(file)}
    assert ("integration/test_pool.py" in read) == (part != "house")
    assert not pytest_ignore_collect(TESTS / "unit", pytestconfig)


def test_every_test_has_the_markers_of_its_file(request):
    markers = {marker.name for marker in request.node.iter_markers()}
    assert "house" in markers
    assert not markers & {"engine", "faults", "core", "adapters", "processes"}
