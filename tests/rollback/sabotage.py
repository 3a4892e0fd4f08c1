"""Isolation broken on purpose, to show that the tests notice: ROLLBACK_SABOTAGE says how."""

import os


def nothing_shared() -> None:
    """Leave the event loop to its own connections."""
    from turbo_orm.test import isolation

    isolation.share = lambda alias: None


def root_left_behind() -> None:
    """Leave the event loop in a transaction that has ended."""
    from turbo_orm.test import isolation

    isolation.unshare = lambda alias: None


def commit() -> None:
    """Keep what a test has written."""
    from django.test import TestCase

    def commit_atomics(cls, atomics):
        for alias in reversed(cls._databases_names()):
            atomics[alias].__exit__(None, None, None)

    TestCase._rollback_atomics = classmethod(commit_atomics)


def apply() -> None:
    """Do what the environment asks for."""
    wanted = os.environ.get("ROLLBACK_SABOTAGE")
    if wanted:
        {"nothing_shared": nothing_shared, "root_left_behind": root_left_behind, "commit": commit}[
            wanted
        ]()
