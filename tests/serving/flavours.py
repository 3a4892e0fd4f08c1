"""The servers, each with what it has in ``TURBO_ORM``; what stock Django does is the measure."""

from typing import Any

from .stacks import STACKS

STOCK = "stock"
IN_THREADS = [
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.common.CommonMiddleware",
    "tests.serving.middleware.classes.Mixin",
    "tests.serving.middleware.classes.SynchronousHooks",
    "tests.serving.middleware.contextual.synchronous",
    "tests.serving.middleware.functions.synchronous",
    "tests.serving.middleware.querying.synchronous",
    "tests.serving.middleware.tasks.SynchronousCall",
    "tests.serving.middleware.tasks.asking_a_coroutine",
]

FLAVOURS: dict[str, dict[str, Any]] = {
    STOCK: {},
    "ours": {},
    "views on the loop": {"SYNC_VIEWS": "loop"},
    "middleware in threads": {"THREAD_MIDDLEWARE": IN_THREADS},
}
OURS = [flavour for flavour in FLAVOURS if flavour != STOCK]

_known = {name for stack in STACKS.values() for name in stack}
assert set(IN_THREADS) <= _known, set(IN_THREADS) - _known
