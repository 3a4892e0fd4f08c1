"""Resolve the URL of a request before its middleware runs: the view decides where both run."""

from __future__ import annotations

import copy
import enum
import weakref
from typing import Any, NamedTuple

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.urls import ResolverMatch, URLPattern, URLResolver, get_resolver
from django.urls.converters import DEFAULT_CONVERTERS
from django.urls.resolvers import LocalePrefixPattern, RegexPattern, RoutePattern
from django.utils.translation import get_language, override

from ..conf import get_settings
from .views import runs_on_loop

# The attribute of a request that keeps what its URL resolved to.
KNOWN = "_turbo_orm_match"


class Dependence(enum.IntEnum):
    """What decides, beside the path, to which view a URLconf leads."""

    NOTHING = 0
    LANGUAGE = 1
    ANYTHING = 2


_dependences: weakref.WeakKeyDictionary[URLResolver, Dependence] = weakref.WeakKeyDictionary()
_CONVERTERS = {type(converter) for converter in DEFAULT_CONVERTERS.values()}


def dependence(resolver: URLResolver) -> Dependence:
    """Return what decides to which view a path leads."""
    found = _dependences.get(resolver)
    if found is None:
        found = _dependences[resolver] = _dependence_of(resolver)
    return found


def _dependence_of(entry: Any) -> Dependence:
    if type(entry) not in {URLPattern, URLResolver}:
        return Dependence.ANYTHING
    inner = getattr(entry, "url_patterns", ())
    return max([_dependence_of_pattern(entry.pattern), *map(_dependence_of, inner)])


def _dependence_of_pattern(pattern: Any) -> Dependence:
    if any(type(converter) not in _CONVERTERS for converter in pattern.converters.values()):
        return Dependence.ANYTHING
    if type(pattern) is RoutePattern:
        route = getattr(pattern, "_route", None)
    elif type(pattern) is RegexPattern:
        route = getattr(pattern, "_regex", None)
    else:
        is_prefix = type(pattern) is LocalePrefixPattern
        return Dependence.LANGUAGE if is_prefix else Dependence.ANYTHING
    # Any other than a string is translated each time.
    return Dependence.NOTHING if isinstance(route, str) else Dependence.LANGUAGE


class EarlyMatch(NamedTuple):
    """What the URL of a request resolves to before its middleware runs.

    Args:
        match: None if there is no such URL, or if resolving it failed.
        in_thread: whether the request runs in a thread: its view is synchronous and may not run on
            the event loop, or there is no view.
        path_info: the path that was resolved.
        resolver: the resolver that was asked.
        language: the language that was active, if it matters.
    """

    match: ResolverMatch | None
    in_thread: bool
    path_info: str
    resolver: URLResolver | None
    language: str | None

    def still_holds(self, request: HttpRequest) -> bool:
        """Tell whether Django would find the same if it resolved the URL now."""
        resolver = self.resolver
        if (
            resolver is None
            or hasattr(request, "urlconf")
            or self.path_info != request.path_info
            or resolver is not get_resolver()
        ):
            return False
        found = dependence(resolver)
        if found is Dependence.LANGUAGE:
            return self.language == get_language()
        return found is Dependence.NOTHING


UNKNOWN = EarlyMatch(None, False, "", None, None)
# Middleware may answer in place of a view, and do so in a way that an event loop forbids.
UNRESOLVED = EarlyMatch(None, True, "", None, None)


# Asked for the language only: no request passes through.
_locale = LocaleMiddleware(BaseHandler().get_response)


def early_match(request: HttpRequest) -> EarlyMatch:
    """Return what the URL of a request resolves to; called in the bridge.

    Args:
        request: the request. It keeps the answer.

    With ``i18n_patterns`` the URL is resolved in the language that ``LocaleMiddleware`` would
    choose. Path converters of the project's own run once more than in Django.
    """
    known: EarlyMatch | None = request.__dict__.get(KNOWN)
    if known is None:
        # All synchronous views run on the loop then, so there is nothing to decide.
        known = UNKNOWN if get_settings().SYNC_VIEWS == "loop" else _resolve(request)
        request.__dict__[KNOWN] = known
    return known


def _resolve(request: HttpRequest) -> EarlyMatch:
    try:
        resolver = get_resolver()
        if dependence(resolver) is Dependence.NOTHING:
            return _resolve_by(resolver, request.path_info, None)
        if not is_language_prefix_patterns_used(settings.ROOT_URLCONF)[0]:
            return _resolve_by(resolver, request.path_info, get_language())
        with override(get_language()):
            # Of a copy: the middleware notes the language on the request.
            _locale.process_request(copy.copy(request))
            return _resolve_by(resolver, request.path_info, get_language())
    except Exception:
        # Also for errors of URLconfs and converters: the chain meets them at Django's own time.
        return UNRESOLVED


def _resolve_by(resolver: URLResolver, path_info: str, language: str | None) -> EarlyMatch:
    match = resolver.resolve(path_info)
    in_thread = not iscoroutinefunction(match.func) and not runs_on_loop(match.func)
    return EarlyMatch(match, in_thread, path_info, resolver, language)


class ResolvedEarly(BaseHandler):
    """Uses what the URL resolved to early, unless middleware changed what it depends on."""

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Return the view of a request with its arguments.

        Args:
            request: the request; the match is kept on it.

        Mirrors ``BaseHandler.resolve_request``.
        """
        known: EarlyMatch = request.__dict__.pop(KNOWN, UNKNOWN)
        if known.match is None or not known.still_holds(request):
            return super().resolve_request(request)
        request.resolver_match = known.match
        return known.match
