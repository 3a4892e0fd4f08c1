"""What a server does while it answers: signals, queries, log records, warnings, in their order."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from asgiref.sync import async_to_sync
from django.contrib.auth import signals as auth_signals
from django.core import signals as core_signals
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import signals as model_signals
from django.dispatch import Signal
from django.test.signals import template_rendered

LOGGERS = ("django", "asyncio", "turbo_orm")
OF_THE_SERVER = (
    (core_signals, ("request_started", "request_finished", "got_request_exception")),
    (auth_signals, ("user_logged_in", "user_login_failed", "user_logged_out")),
)
# Before, a server's signals call receivers of both kinds side by side.
IN_ORDER = django.VERSION >= (6, 1)
OF_MODELS = ("pre_save", "post_save", "pre_delete", "post_delete", "m2m_changed")


class Record:
    """What happened in one request."""

    def __init__(self) -> None:
        # Signals and what views and middleware note, in one order.
        self.events: list[str] = []
        # What asynchronous receivers note where they have no place in that order.
        self.awaited: list[str] = []
        self.queries: list[str] = []
        self.logs: list[str] = []
        self.warnings: list[str] = []


_records: list[Record] = []


def note(event: str) -> None:
    """Put what a view or a middleware does among the events."""
    if _records:
        _records[-1].events.append(event)


@contextmanager
def recording() -> Iterator[Record]:
    """Record until the block ends; requests come one after another."""
    record = Record()
    _records.append(record)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield record
        record.warnings += [f"{each.category.__name__}: {each.message}" for each in caught]
    finally:
        _records.remove(record)


def install() -> None:
    """Listen to everything; once in a process."""
    for module, names in OF_THE_SERVER:
        for name in names:
            _listen(getattr(module, name), name)
    for name in OF_MODELS:
        _listen(getattr(model_signals, name), name)
    _listen(template_rendered, "template_rendered")
    if django.VERSION >= (5, 0):
        _listen_asynchronously(core_signals.request_started, "request_started")
        _listen_asynchronously(core_signals.request_finished, "request_finished")
        _listen_asynchronously(model_signals.post_save, "post_save")
    _listen_through_a_coroutine(model_signals.post_delete, "post_delete")
    # Whether DEBUG is on or not: it must not be what makes queries seen.
    BaseDatabaseWrapper.queries_logged = property(lambda wrapper: True)  # type: ignore[assignment]
    logging.getLogger("django.db.backends").propagate = False
    _attach("django.db.backends", _log_query)
    for logger in LOGGERS:
        _attach(logger, _log)


_receivers: list[Callable[..., Any]] = []


def _listen(signal: Signal, name: str) -> None:
    def receive(sender: Any, **values: Any) -> None:
        note(f"{name}{_described(sender, values)}")

    _receivers.append(receive)
    signal.connect(receive)


def _listen_asynchronously(signal: Signal, name: str) -> None:
    async def receive(sender: Any, **values: Any) -> None:
        if _records:
            event = f"{name}{_described(sender, values)}, asynchronously"
            record = _records[-1]
            (record.events if IN_ORDER else record.awaited).append(event)

    _receivers.append(receive)
    signal.connect(receive)


def _listen_through_a_coroutine(signal: Signal, name: str) -> None:
    async def receive_asynchronously(sender: Any, values: dict[str, Any]) -> None:
        note(f"{name}{_described(sender, values)}, through a coroutine")

    def receive(sender: Any, **values: Any) -> None:
        async_to_sync(receive_asynchronously)(sender, values)

    _receivers.append(receive)
    signal.connect(receive)


def _described(sender: Any, values: dict[str, Any]) -> str:
    """Return what identifies a signal; handlers are called alike, whatever their class."""
    name = getattr(sender, "__qualname__", str(sender))
    shown = {
        key: values[key] for key in ("created", "action", "pk_set", "credentials") if key in values
    }
    if "template" in values:
        shown["template"] = values["template"].name
    if "user" in values:
        shown["user"] = str(values["user"])
    if "scope" in values:
        shown["path"] = values["scope"]["path"]
    if "environ" in values:
        shown["path"] = values["environ"]["SCRIPT_NAME"] + values["environ"]["PATH_INFO"]
    sender_name = "handler" if name.endswith(("ASGIHandler", "WSGIHandler")) else name
    return f" from {sender_name} {shown}" if shown else f" from {sender_name}"


class _Handler(logging.Handler):
    def __init__(self, write: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self.write = write

    def emit(self, record: logging.LogRecord) -> None:
        if _records:
            self.write(record)


def _attach(name: str, write: Callable[[logging.LogRecord], None]) -> None:
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(_Handler(write))


def _log_query(record: logging.LogRecord) -> None:
    _records[-1].queries.append(f"{getattr(record, 'alias', '')}: {getattr(record, 'sql', '')}")


def _log(record: logging.LogRecord) -> None:
    if (record.name, record.levelno) == ("asyncio", logging.DEBUG):
        # A loop has begun: each coroutine receiver has one of its own under WSGI.
        return
    line = f"{record.levelname} {record.name}: {record.getMessage()}"
    if hasattr(record, "status_code"):
        line += f" [{record.status_code}]"
    if record.exc_info and record.exc_info[0]:
        # What a template did not find is followed by all that it could look in.
        reason = "" if record.name == "django.template" else f": {record.exc_info[1]}"
        line += f" ({record.exc_info[0].__name__}{reason})"
    _records[-1].logs.append(line)
