"""Which tests run on which combination of versions."""

from tests.parts import ENGINE, PARTS, TESTS, parts_of


def test_a_new_file_is_in_the_core_and_runs_everywhere():
    assert parts_of("integration/test_of_tomorrow.py") == ["core"]


def test_a_file_may_be_the_engines_concern_besides():
    assert parts_of("integration/test_pool.py") == ["core", "engine"]
    assert parts_of("faults/test_server.py") == ["core", "engine", "faults"]
    assert parts_of("integration/test_drf_views.py") == ["adapters"]


def test_every_pattern_names_a_file_and_no_file_is_in_two_parts():
    for pattern in [*ENGINE, *(each for patterns in PARTS.values() for each in patterns)]:
        assert [*TESTS.glob(pattern)], pattern
    for file in TESTS.glob("*/test_*.py"):
        assert len(set(parts_of(file.relative_to(TESTS).as_posix())) & {"core", *PARTS}) == 1


def test_every_test_has_the_markers_of_its_file(request):
    markers = {marker.name for marker in request.node.iter_markers()}
    assert "house" in markers
    assert not markers & {"engine", "faults", "core", "adapters", "processes"}
