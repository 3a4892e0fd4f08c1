"""What must hold before a change lands (`.ci/run`), and before an issue is closed (`make all`).

    python3 -m scripts.ci run    at most 12 minutes on two cores
    python3 -m scripts.ci all    each part on each combination, the whole suites: two hours

The parts of the tests that are named here ("core", "engine") are those of tests/parts.py. A new job
goes into `RUN` if a change of any kind may break it and it is quick, else into `ALL`.
"""

from __future__ import annotations

import os
import signal
import sys

from scripts.jobs import Job, run

DEVELOPED_ON = "3.13"
# Every Django that is supported, and the Python that is tested with it.
PYTHONS = {"django42": "3.10", "django52": "3.11", "django60": "3.12", "django61": "3.13"}
BETWEEN_THEM = ("django52", "django60")
ASYNC_BACKEND = "django_async_backend.db.backends.postgresql"
# What of the tests may come out differently on another Python and Django. The load test may not,
# nor does uvloop, whose release is the same on each.
ANYWHERE = "not slow and not uvloop"
# What depends on Python more than on Django, as faults do, the oldest and the newest show.
BETWEEN = f"{ANYWHERE} and not faults and not python"
DJANGO_SLICE = "queries lookup basic prefetch_related transactions async"
DRF_SLICE = "serializer serializer_nested model_serializer views generics viewsets pagination"
# What is long is not for that reason different, and the tests of the tests are the same everywhere.
ELSEWHERE = "not slow and not house"
# Each mode goes through the same bridge: the oldest and the newest Django show all four, the others
# the one that takes most of our own code.
EVERY_MODE = "bridge native async serving"
# The browser is the system's.
BROWSER = """
if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends chromium chromium-driver
fi
exec make browser
"""
# So are PostGIS and GDAL, which it needs.
ENGINES = """
if ! ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1; then
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends postgresql-postgis
fi
exec make works-with-engines
"""


def make(target: str, django: str = "", **variables: str) -> list[str]:
    """Return the command for a target of the Makefile, on one Django or on the newest."""
    if django:
        variables = {"INTERPRETER": PYTHONS[django], "DJANGO": django, **variables}
    return ["make", target, *(f"{name}={value}" for name, value in variables.items())]


def combination(django: str, engine: str = "") -> str:
    """Return what a combination is called in the table."""
    versions = f"Python {PYTHONS[django]}, {django}" if django else "newest Python and Django"
    return f"{versions}, django_async_backend" if engine else versions


def our_tests(
    django: str = "", markers: str = "", *, part: str = "", engine: str = "", workers: str = ""
) -> Job:
    """Return the job of the tests on one combination.

    Args:
        django: a key of `PYTHONS`; empty is the newest Python and Django.
        markers: which of tests/parts.py; empty is every test.
        part: the only part whose files are read.
        engine: the database's engine; empty is Django's own.
        workers: how many processes run tests, 0 is none but pytest's own; empty is two.
    """
    arguments = [part and f"--part {part}", markers and f'-m "{markers}"']
    variables = {"ARGS": " ".join(filter(None, arguments))}
    if workers:
        variables["JOBS"] = workers
    chosen = ", ".join(filter(None, [part, markers]))
    return Job(
        f"tests: {combination(django, engine)}{chosen and f': {chosen}'}",
        make("test", django, **variables),
        PYTHONS.get(django, ""),
        # The combination that is developed on may not be missing.
        required=PYTHONS.get(django, DEVELOPED_ON) == DEVELOPED_ON,
        environment=(("TURBO_TEST_ENGINE", engine),) if engine else (),
    )


def suite(
    modes: str, django: str = "", apps: str = "", engine: str = "", binding: bool = False
) -> Job:
    """Return the job of Django's own tests on one combination; whole, beside plain Django."""
    environment = {"TURBO_TEST_ENGINE": engine, "TURBO_SERVER_SIDE_BINDING": "1" if binding else ""}
    return Job(
        f"Django's own tests: {combination(django, engine)}, {modes}"
        f"{', server-side binding' if binding else ''}{', a slice' if apps else ''}",
        make(
            "conformance-one",
            django,
            MODES=modes,
            APPS=apps,
            ARGS="" if apps else "--baseline",
        ),
        PYTHONS.get(django, ""),
        environment=tuple((name, value) for name, value in environment.items() if value),
    )


def drf(files: str = "") -> Job:
    """Return the job of DRF's own tests, with each view a coroutine function."""
    paths = " ".join(f"tests/test_{name}.py" for name in files.split())
    return Job(
        f"DRF's own tests{', a slice' if files else ''}", make("conformance-drf", ARGS=paths)
    )


CHECK = Job("check", make("check"))
DEMO = Job("demo", make("demo"))
# Before the others begin, which share it: one that installs would disturb the other.
FIRST = [Job("environment", make("environment", WITH="dev conformance"))]
# The longest first. The first in two processes, two others beside it in one each: a process needs
# ten seconds to collect the tests, and what waits leaves its core to the others.
RUN = [
    our_tests(),
    our_tests("django42", ANYWHERE, part="core", workers="0"),
    our_tests("django52", BETWEEN, part="core", workers="0"),
    our_tests(part="engine", engine=ASYNC_BACKEND, workers="0"),
    suite("native", apps=DJANGO_SLICE),
    drf(DRF_SLICE),
    CHECK,
    DEMO,
]
AT_ONCE = 3
ALL = [
    CHECK,
    *(suite("native", django) for django in BETWEEN_THEM),
    suite("native", "django61", engine=ASYNC_BACKEND),
    suite("native", "django61", binding=True),
    suite(EVERY_MODE, "django42"),
    suite(EVERY_MODE, "django61"),
    drf(),
    our_tests("django61"),
    *(our_tests(django, ELSEWHERE) for django in ("django42", *BETWEEN_THEM)),
    our_tests("django61", ELSEWHERE, engine=ASYNC_BACKEND),
    Job("tests of the benchmarks", make("test-bench")),
    DEMO,
    Job("browser", ["sh", "-ec", BROWSER]),
    Job("other packages", make("works-with")),
    Job("other engines", ["sh", "-ec", ENGINES]),
    Job("the packages, installed with pip", make("test-wheels")),
    Job("the oldest releases of each Django", make("test-oldest")),
]


def main(which: str) -> int:
    """Run one of the two lists; return the exit code."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    # The lock file must already fit the packages: nothing is resolved anew here.
    os.environ["UV_LOCKED"] = "1"
    if which == "run":
        return run(RUN, FIRST, AT_ONCE)
    os.environ["TURBO_TEST_THOROUGH"] = "1"
    return run(ALL)


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["all"]):
        sys.exit(str(__doc__))
    sys.exit(main(sys.argv[1]))
