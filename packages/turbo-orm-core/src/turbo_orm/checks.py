"""System checks: what would otherwise fail, or do nothing, only under load."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import django
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Debug, Error, register
from django.core.checks import Warning as CheckWarning
from django.db import connections

from . import locals as request_locals
from .conf import (
    KNOWN_KEYS,
    PLANS,
    REMOVED_KEYS,
    RESET_SESSIONS,
    SETTING,
    SYNC_VIEWS,
    raw_settings,
    removed_keys,
    unknown_keys,
)
from .connection.engine import (
    HOW_TO_GET_IT,
    MissingAsyncBackend,
    is_postgresql,
    is_postgresql_engine,
)
from .pool import OPTION_NAMES, OWN_OPTIONS

Check = Callable[..., list[CheckMessage]]


def settings_errors() -> list[CheckMessage]:
    """Return the errors of ``TURBO_ORM`` itself."""
    found: list[CheckMessage] = [
        Error(
            f"TURBO_ORM has an unknown key: {key!r}.",
            hint=_hint_for_key(key, KNOWN_KEYS),
            id="turbo_orm.E001",
        )
        for key in unknown_keys()
    ]
    written = getattr(django_settings, SETTING, None)
    if written is not None and not isinstance(written, Mapping):
        return [
            Error(
                f"TURBO_ORM is {written!r}, not a dictionary.",
                hint="Write TURBO_ORM = {'POOL': {alias: {'max_size': 10}}}.",
                id="turbo_orm.E001",
            )
        ]
    grace = raw_settings().get("CLEANUP_TIMEOUT", 5.0)
    if not isinstance(grace, int | float):
        found.append(
            Error(
                f"TURBO_ORM['CLEANUP_TIMEOUT'] is {grace!r}, not a number of seconds.",
                hint="Write a number such as 5.0.",
                id="turbo_orm.E001",
            )
        )
    found += _plan_errors()
    found += _serving_errors()
    found += _request_locals_errors()
    resets = raw_settings().get("RESET_SESSIONS", "auto")
    if resets not in RESET_SESSIONS:
        hint = f"Write one of {', '.join(map(repr, RESET_SESSIONS))}."
        found.append(_bad_value("RESET_SESSIONS", resets, hint))
    pools = raw_settings().get("POOL", {})
    if not isinstance(pools, Mapping):
        return [*found, _bad_pool(f"TURBO_ORM['POOL'] is {pools!r}, not a dictionary.")]
    for alias, options in pools.items():
        if alias not in connections.settings:
            found.append(_bad_pool(f"TURBO_ORM['POOL'] names {alias!r}, which is no database."))
        elif not isinstance(options, Mapping):
            found.append(_bad_pool(f"TURBO_ORM['POOL'][{alias!r}] is {options!r}."))
    return found


def _plan_errors() -> list[CheckMessage]:
    plans, size = raw_settings().get("PLANS", "on"), raw_settings().get("PLAN_CACHE_SIZE", 1)
    found: list[CheckMessage] = []
    if plans not in PLANS:
        found.append(
            Error(
                f"TURBO_ORM['PLANS'] is {plans!r}.",
                hint=f"Write one of {', '.join(map(repr, PLANS))}.",
                id="turbo_orm.E001",
            )
        )
    if type(size) is not int or size < 1:
        found.append(
            Error(
                f"TURBO_ORM['PLAN_CACHE_SIZE'] is {size!r}, not a number of plans.",
                hint="Write a number such as 1000, or 'PLANS': 'off' to keep none.",
                id="turbo_orm.E001",
            )
        )
    return found


def _serving_errors() -> list[CheckMessage]:
    written = raw_settings()
    found: list[CheckMessage] = []
    if (views := written.get("SYNC_VIEWS", "thread")) not in SYNC_VIEWS:
        hint = f"Write one of {', '.join(map(repr, SYNC_VIEWS))}."
        found.append(_bad_value("SYNC_VIEWS", views, hint))
    if not _is_duration(patience := written.get("DISCONNECT_PATIENCE", 0.1)):
        hint = "Write a number of seconds such as 0.1, or 0 to listen at once."
        found.append(_bad_value("DISCONNECT_PATIENCE", patience, hint))
    if type(required := written.get("REQUIRE_DATABASE", False)) is not bool:
        found.append(_bad_value("REQUIRE_DATABASE", required, "Write True or False."))
    if type(threads := written.get("SYNC_THREADS", 40)) is not int or threads < 1:
        hint = "Write a number of threads such as 40, 1 or more."
        found.append(_bad_value("SYNC_THREADS", threads, hint))
    return found


def _request_locals_errors() -> list[CheckMessage]:
    chosen = raw_settings().get("REQUEST_LOCALS", "auto")
    if chosen in ("auto", False):
        return []
    if not isinstance(chosen, list | tuple) or not all(isinstance(path, str) for path in chosen):
        hint = "Write 'auto', False, or a list of dotted paths."
        return [_bad_value("REQUEST_LOCALS", chosen, hint)]
    found: list[CheckMessage] = []
    for path in chosen:
        try:
            request_locals.resolve(path)
        except Exception as error:  # any code may run when a module is imported
            found.append(
                Error(
                    f"TURBO_ORM['REQUEST_LOCALS'] names {path!r}: {error}.",
                    hint="Name a threading.local, a class of one, or the module that has them.",
                    id="turbo_orm.E001",
                )
            )
    return found


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and value >= 0


def _bad_value(key: str, value: object, hint: str) -> Error:
    return Error(f"TURBO_ORM[{key!r}] is {value!r}.", hint=hint, id="turbo_orm.E001")


def _hint_for_key(key: object, known: Collection[str]) -> str:
    """Return the key that was probably meant, and all that there are."""
    meant = difflib.get_close_matches(str(key), known, n=1)
    hint = f"Known keys are {', '.join(sorted(known))}."
    return f"Did you mean {meant[0]!r}? {hint}" if meant else hint


def _bad_pool(what: str) -> Error:
    return Error(
        what,
        hint="Write {alias: {'min_size': 2, 'max_size': 10}} with aliases of DATABASES.",
        id="turbo_orm.E002",
    )


def _pool_options(alias: str) -> Any:
    given = raw_settings().get("POOL", {})
    if isinstance(given, Mapping) and alias in given:
        return given[alias]
    return connections.settings[alias]["OPTIONS"].get("pool")


def _aliases() -> Iterator[str]:
    return (
        alias
        for alias in connections.settings
        if not _lacks_async_backend(alias) and is_postgresql(alias)
    )


def _lacks_async_backend(alias: str) -> bool:
    try:
        is_postgresql_engine(connections.settings[alias]["ENGINE"])
    except MissingAsyncBackend:
        return True
    return False


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check the keys of ``TURBO_ORM``."""
    return settings_errors()


def check_async_backend(**kwargs: Any) -> list[CheckMessage]:
    """Check that django-async-backend is installed where an engine needs it."""
    return [
        Error(
            f"DATABASES[{alias!r}]['ENGINE'] is {connections.settings[alias]['ENGINE']!r}, but "
            "django-async-backend is not installed.",
            hint=HOW_TO_GET_IT,
            id="turbo_orm.E010",
        )
        for alias in connections.settings
        if _lacks_async_backend(alias)
    ]


def check_removed_keys(**kwargs: Any) -> list[CheckMessage]:
    """Check for keys of ``TURBO_ORM`` that no longer mean anything."""
    return [
        CheckWarning(
            f"TURBO_ORM[{key!r}] has no effect any more.",
            hint=REMOVED_KEYS[key],
            id="turbo_orm.W004",
        )
        for key in removed_keys()
    ]


def check_engines(**kwargs: Any) -> list[CheckMessage]:
    """Check that there is a database that can be awaited."""
    if any(_aliases()) or check_async_backend():
        return []
    return [
        CheckWarning(
            "No database of DATABASES can be awaited: none is PostgreSQL with psycopg 3.",
            hint="Set ENGINE to 'django.db.backends.postgresql' and install psycopg[binary,pool].",
            id="turbo_orm.W001",
        )
    ]


def check_pool_sizes(**kwargs: Any) -> list[CheckMessage]:
    """Check that every pool can be opened with its sizes."""
    found: list[CheckMessage] = []
    for alias in _aliases():
        options = _pool_options(alias)
        if not isinstance(options, Mapping):
            continue
        low, high = options.get("min_size"), options.get("max_size")
        for size in (low, high):
            if size is not None and not isinstance(size, int):
                found.append(_bad_pool(f"The pool of {alias!r} has the size {size!r}."))
                low = None
        if low is not None and high is not None and low > high:
            found.append(
                Error(
                    f"The pool of {alias!r} has min_size {low} above max_size {high}.",
                    hint="Raise max_size or lower min_size.",
                    id="turbo_orm.E003",
                )
            )
    return found


def check_pool_keys(**kwargs: Any) -> list[CheckMessage]:
    """Check that each option of a pool is one that psycopg_pool knows."""
    pools = raw_settings().get("POOL", {})
    written = [
        (f"TURBO_ORM['POOL'][{alias!r}]", options)
        for alias, options in (pools.items() if isinstance(pools, Mapping) else ())
    ]
    written += [
        (
            f"DATABASES[{alias!r}]['OPTIONS']['pool']",
            connections.settings[alias]["OPTIONS"].get("pool"),
        )
        for alias in _aliases()
    ]
    return [
        Error(
            f"{place} has an unknown key: {key!r}.",
            hint=_hint_for_key(key, OPTION_NAMES - OWN_OPTIONS),
            id="turbo_orm.E005",
        )
        for place, options in written
        if isinstance(options, Mapping)
        for key in options
        if key not in OPTION_NAMES
    ]


def check_pool_option_known(**kwargs: Any) -> list[CheckMessage]:
    """Check that ``OPTIONS["pool"]`` does not break the synchronous backend of old Django."""
    if django.VERSION >= (5, 1):
        return []
    return [
        Error(
            f"DATABASES[{alias!r}]['OPTIONS']['pool'] makes every synchronous connection fail: "
            f"Django {django.get_version()} hands it on to psycopg.",
            hint="Move the dictionary to TURBO_ORM = {'POOL': {alias: {...}}}.",
            id="turbo_orm.E004",
        )
        for alias in _aliases()
        if "pool" in connections.settings[alias]["OPTIONS"]
    ]


def check_persistent_connections(**kwargs: Any) -> list[CheckMessage]:
    """Check for CONN_MAX_AGE, which pooled connections do not heed."""
    return [
        CheckWarning(
            f"CONN_MAX_AGE of {alias!r} has no effect on pooled connections, and under ASGI keeps "
            "one synchronous connection open per thread.",
            hint="Set it to 0; OPTIONS['pool']['max_lifetime'] limits the age of pooled ones.",
            id="turbo_orm.W002",
        )
        for alias in _aliases()
        if connections.settings[alias]["CONN_MAX_AGE"] != 0
    ]


def check_autocommit(**kwargs: Any) -> list[CheckMessage]:
    """Check for AUTOCOMMIT switched off, where each awaited operation would be rolled back."""
    return [
        CheckWarning(
            f"AUTOCOMMIT of {alias!r} is off: each awaited operation and each `atomic` block ends "
            "with a rollback, as a request does in Django, unless it calls commit() itself.",
            hint="Leave AUTOCOMMIT on and use `async with atomic():`.",
            id="turbo_orm.W003",
        )
        for alias in _aliases()
        if not connections.settings[alias]["AUTOCOMMIT"]
    ]


def check_request_locals(**kwargs: Any) -> list[CheckMessage]:
    """Warn of thread-locals that requests on an event loop share."""
    return [
        CheckWarning(
            f"{missed.path} is a threading.local that all requests on an event loop share: "
            f"{missed.reason}.",
            hint=(
                "Refer to it by a name in a module, as an attribute or in a list or dictionary; "
                "or use asgiref.local.Local in its place."
            ),
            id="turbo_orm.W010",
        )
        for missed in request_locals.report().missed
    ]


def check_replaced_locals(**kwargs: Any) -> list[CheckMessage]:
    """List the thread-locals whose values belong to a request now."""
    replaced = request_locals.report().replaced
    if not replaced:
        return []
    return [
        Debug(
            "The values of these threading.local objects belong to a request: "
            f"{', '.join(sorted(replaced))}.",
            hint="TURBO_ORM['REQUEST_LOCALS'] may name others, or be False.",
            id="turbo_orm.D010",
        )
    ]


def check_tenants(**kwargs: Any) -> list[CheckMessage]:
    """Check for django-tenants trusting that a session still has the search path that it set."""
    if not getattr(django_settings, "TENANT_LIMIT_SET_CALLS", False):
        return []
    return [
        Error(
            f"TENANT_LIMIT_SET_CALLS is True, but each operation on {alias!r} borrows another "
            "session from the pool: rows of another tenant would be read.",
            hint="Set TENANT_LIMIT_SET_CALLS to False.",
            id="turbo_orm.E020",
        )
        for alias in _aliases()
        if connections.settings[alias]["ENGINE"].partition(".")[0] == "django_tenants"
    ]


ALL: tuple[Check, ...] = (
    check_settings,
    check_removed_keys,
    check_async_backend,
    check_engines,
    check_pool_keys,
    check_pool_sizes,
    check_pool_option_known,
    check_persistent_connections,
    check_autocommit,
    check_request_locals,
    check_tenants,
)
# Django prints every message at every command. These are for those who ask: `check --deploy`.
ASKED_FOR: tuple[Check, ...] = (check_replaced_locals,)


def register_all() -> None:
    """Register every check with Django."""
    for check in ALL:
        register(check, "turbo_orm")
    for check in ASKED_FOR:
        register(check, "turbo_orm", deploy=True)
