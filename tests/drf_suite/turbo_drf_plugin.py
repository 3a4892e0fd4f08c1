"""A pytest plugin: DRF's tests find our views, serializers and paginators where DRF's own were.

It also keeps what became of each test. DRF's tests are a package of the same name as ours: this
module is imported by itself.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from turbo_orm import await_

# Whether DRF is left as it is: what fails then has nothing to do with us.
PLAIN = os.environ["TURBO_SUITE_MODE"] == "plain"
SWAPPED = {
    "decorators": ["api_view"],
    "generics": [
        *("CreateAPIView", "DestroyAPIView", "GenericAPIView", "ListAPIView", "ListCreateAPIView"),
        *("RetrieveAPIView", "RetrieveDestroyAPIView", "RetrieveUpdateAPIView"),
        *("RetrieveUpdateDestroyAPIView", "UpdateAPIView"),
    ],
    "pagination": [
        *("BasePagination", "CursorPagination", "LimitOffsetPagination", "PageNumberPagination"),
    ],
    "serializers": [
        *("BaseSerializer", "HyperlinkedModelSerializer", "ListSerializer", "ModelSerializer"),
        "Serializer",
    ],
    "views": ["APIView"],
    "viewsets": [
        *("GenericViewSet", "ModelViewSet", "ReadOnlyModelViewSet", "ViewSet", "ViewSetMixin"),
    ],
}


class Counter:
    """How many requests went through our coroutine functions, and how many tests how."""

    requests = 0
    outcomes: dict[str, str] = {}
    details: dict[str, str] = {}


def swap() -> None:
    """Put our classes where DRF's own are, before anything else of DRF's is imported."""
    import importlib

    import turbo_orm_drf
    from turbo_orm.patches import redirect

    redirect.apply()
    for module, names in SWAPPED.items():
        ours = importlib.import_module(f"turbo_orm_drf.{module}")
        drfs = importlib.import_module(f"rest_framework.{module}")
        for name in names:
            setattr(drfs, name, getattr(ours, name))
    leave_databases()
    mixin: Any = turbo_orm_drf.AsyncViewMixin
    mixin.as_view = classmethod(called(vars(mixin)["as_view"].__func__))


def leave_databases() -> None:
    """Close the pools before the test databases are dropped."""
    from django.db.backends.base.creation import BaseDatabaseCreation

    from turbo_orm import close_pools

    creation: Any = BaseDatabaseCreation
    destroy = creation.destroy_test_db

    @functools.wraps(destroy)
    def closed(*args: Any, **kwargs: Any) -> Any:
        await_(close_pools())
        return destroy(*args, **kwargs)

    creation.destroy_test_db = closed


def called(as_view: Any) -> Any:
    """Return an ``as_view`` whose views DRF's tests can call: they wait, in the bridge."""

    @functools.wraps(as_view)
    def made(cls: Any, *args: Any, **kwargs: Any) -> Any:
        view = as_view(cls, *args, **kwargs)

        @functools.wraps(view)
        def call(*args: Any, **kwargs: Any) -> Any:
            Counter.requests += 1
            return await_(view(*args, **kwargs))

        return call

    return made


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Begin once Django is set up, which DRF's conftest does."""
    if not PLAIN:
        swap()


def pytest_runtest_logreport(report: Any) -> None:
    """Keep what became of a test: the worst of its three phases."""
    known = Counter.outcomes.get(report.nodeid)
    if report.failed or known is None or (known == "passed" and report.skipped):
        Counter.outcomes[report.nodeid] = report.outcome
    if report.failed:
        Counter.details[report.nodeid] = report.longreprtext[-3000:]


def pytest_sessionfinish() -> None:
    """Write the report."""
    report: dict[str, Any] = {
        "outcomes": Counter.outcomes,
        "details": Counter.details,
        "requests": Counter.requests,
    }
    if not PLAIN:
        from django_suite.loop import Counter as Statements

        report |= {"bridged": Statements.bridged, "synchronous": Statements.synchronous}
    Path(os.environ["TURBO_SUITE_REPORT"]).write_text(json.dumps(report), encoding="utf-8")
