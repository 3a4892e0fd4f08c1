"""Runs Django's suite in one event loop and writes down what became of each test."""

from __future__ import annotations

import faulthandler
import inspect
import json
import os
import threading
import unittest
from pathlib import Path
from typing import Any

import asgiref.sync
from django.test import TransactionTestCase
from django.test.runner import DiscoverRunner

from turbo_orm.plan.stats import counts, unplanned

from .loop import Counter, Threads, run_in_loop

# The slowest hash a password for minutes on a small machine.
SECONDS_PER_TEST = int(os.environ.get("TURBO_SUITE_TEST_SECONDS", "600"))


class RecordingResult(unittest.TextTestResult):
    """Remembers the outcome of each test by its id."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcomes: dict[str, str] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        """Arm the alarm that shows where a hanging test hangs."""
        faulthandler.dump_traceback_later(SECONDS_PER_TEST, exit=True)
        serving = os.environ["TURBO_SUITE_MODE"] == "serving"
        Threads.allowed = serving and not isinstance(test, TransactionTestCase)
        super().startTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:
        """Note a test that passed."""
        super().addSuccess(test)
        self.outcomes.setdefault(test.id(), "passed")

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        """Note a test that raised."""
        super().addError(test, err)
        self.outcomes[test.id()] = "error"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        """Note a test that failed."""
        super().addFailure(test, err)
        self.outcomes[test.id()] = "failure"

    def addSubTest(self, test: unittest.TestCase, subtest: Any, err: Any) -> None:
        """Note a failed part of a test as that test's failure."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.outcomes[test.id()] = "failure"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        """Note a test that was skipped."""
        super().addSkip(test, reason)
        self.outcomes[test.id()] = "skipped"

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        """Note a test that Django itself expects to fail."""
        super().addExpectedFailure(test, err)
        self.outcomes[test.id()] = "passed"


class SuiteRunner(DiscoverRunner):
    """Runs the suite in the bridge; the mode comes from the environment."""

    def get_resultclass(self) -> Any:
        """Return the result class that records outcomes."""
        return RecordingResult

    def build_suite(self, *args: Any, **kwargs: Any) -> Any:
        """Keep only the coroutine tests in mode `async`."""
        suite = super().build_suite(*args, **kwargs)
        if os.environ["TURBO_SUITE_MODE"] != "async":
            return suite
        return type(suite)(test for test in _flat(suite) if _is_coroutine_test(test))

    def run_suite(self, suite: Any, **kwargs: Any) -> Any:
        """Run everything in one job of the bridge, and write the outcomes down."""
        mode = os.environ["TURBO_SUITE_MODE"]
        if mode == "sync":
            result = super().run_suite(suite, **kwargs)
        else:
            result = run_in_loop(_prepared(mode, super().run_suite), suite, **kwargs)
        faulthandler.cancel_dump_traceback_later()
        report = {
            "outcomes": result.outcomes,
            "bridged": Counter.bridged,
            "synchronous": Counter.synchronous,
            "plans": {**counts, **unplanned},
        }
        Path(os.environ["TURBO_SUITE_REPORT"]).write_text(json.dumps(report), encoding="utf-8")
        return result


def _prepared(mode: str, run: Any) -> Any:
    if mode == "native":
        from .native import natively

        return natively(run)
    if mode == "async":
        return _without_threads(run)
    return run


def _without_threads(run: Any) -> Any:
    """Let every thread hop fail but those of `await_thread`: passwords are hashed there."""
    start = threading.Thread.start

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a thread was asked for")

    def start_ours(thread: threading.Thread) -> None:
        if not thread.name.startswith("turbo_orm"):
            refuse()
        start(thread)

    def guarded(*args: Any, **kwargs: Any) -> Any:
        before = asgiref.sync.SyncToAsync.__call__, start
        asgiref.sync.SyncToAsync.__call__ = refuse  # type: ignore
        threading.Thread.start = start_ours  # type: ignore
        try:
            return run(*args, **kwargs)
        finally:
            asgiref.sync.SyncToAsync.__call__, threading.Thread.start = before  # type: ignore

    return guarded


def _flat(suite: Any) -> Any:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flat(test)
        else:
            yield test


def _is_coroutine_test(test: Any) -> bool:
    method = getattr(test, getattr(test, "_testMethodName", ""), None)
    return inspect.iscoroutinefunction(inspect.unwrap(method)) if method else False
