"""Refuse every thread: what is awaited here must need none."""

import threading

import asgiref.sync
import pytest


def refuse_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every hop to a thread fail, until the patch is undone."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"a thread was asked for: {args!r} {kwargs!r}")

    monkeypatch.setattr(asgiref.sync.SyncToAsync, "__call__", refuse)
    monkeypatch.setattr(threading.Thread, "start", refuse)
