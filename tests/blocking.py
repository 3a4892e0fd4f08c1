"""No integration test may block the event loop: not its own code, Django's or ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster

FOLDER = "integration"
WRITES = {"mkdir", "write_bytes", "write_text"}
# Where a call may block, by the end of a file's path and functions of it, with the reason.
ALLOWED = (
    # Once per process or per name, and kept: modules, template libraries and templates, time zones,
    # catalogues of translations, types of files.
    ("<frozen importlib._bootstrap>", {"_find_and_load"}),
    ("django/template/backends/django.py", {"get_template_tag_modules"}),
    ("django/template/loaders/cached.py", {"get_template"}),
    ("zoneinfo/_tzpath.py", {"find_tzfile"}),
    ("zoneinfo/_common.py", {"load_data", "load_tzdata"}),
    ("gettext.py", {"find", "translation"}),
    ("django/utils/translation/trans_real.py", {"all_locale_paths", "translation"}),
    ("mimetypes.py", {"init"}),
    # The same of other packages: a list of extensions, and the page of GraphiQL.
    ("markdown/util.py", {"get_installed_extensions"}),
    ("strawberry/http/ides.py", {"get_graphql_ide_html"}),
    # Django's store of sessions in files, where its coroutines do it too.
    ("django/contrib/sessions/backends/file.py", {"create", "delete", "exists", "load", "save"}),
    # A cache in files makes the path of its folder absolute.
    ("django/core/cache/backends/filebased.py", {"__init__"}),
    # Django's pages for developers, and the one of a refused form, are read each time.
    ("django/views/csrf.py", {"csrf_failure"}),
    (
        "django/views/debug.py",
        {"get_traceback_html", "get_traceback_text", "technical_404_response"},
    ),
    # Django spools a large body; stock Django does so on the loop too.
    ("django/core/handlers/asgi.py", {"read_body"}),
    # A test writes its files, starts a server: only its own loop waits, and has nothing else to do.
    ("pathlib.py", WRITES),
    ("pathlib/__init__.py", WRITES),
    ("pathlib/_abc.py", WRITES),
    ("pathlib/_local.py", WRITES),
    ("tests/served/process.py", {"__init__", "__aexit__", "said", "stop"}),
)


def detector() -> BlockBuster:
    """Return what raises BlockingError where a blocking call is made while a loop runs."""
    made = BlockBuster()
    for function in made.functions.values():
        for file, names in ALLOWED:
            function.can_block_in(file, names)
    return made


DETECTOR = detector()


@pytest.fixture(autouse=True)
def no_blocking(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make every blocking call on the loop fail."""
    node = request.node
    checked = (
        FOLDER in node.path.parts
        and asyncio.iscoroutinefunction(getattr(node, "function", None))
        and not node.get_closest_marker("may_block")
    )
    if not checked:
        yield
        return
    DETECTOR.activate()
    try:
        yield
    finally:
        DETECTOR.deactivate()
