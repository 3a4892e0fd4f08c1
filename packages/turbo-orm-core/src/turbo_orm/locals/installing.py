"""Replace the thread-locals of a project at start-up, and of modules that it imports later."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Collection, Iterable
from types import ModuleType
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings

from ..conf import get_settings
from .faces import ContextLocal, init_arguments, initialises, stand_in
from .finding import Found, owned_classes, owned_modules, plain_locals
from .imports import watch
from .origin import foreign
from .owned import Ownership, packages_of
from .rebinding import rebind
from .replacing import Replacements, replace
from .report import Missed, Report

# What a class of thread-locals may define without `super()`, past the context.
ACCESS = ("__getattribute__", "__setattr__", "__delattr__")


class Installed:
    """The thread-locals of some packages, replaced.

    Args:
        owned: the packages.
    """

    def __init__(self, owned: Ownership) -> None:
        self.owned = owned
        self.report = Report()

    def cover(self, modules: Collection[ModuleType]) -> None:
        """Replace what modules of the owned packages hold, and let them make no others."""
        for kind in sorted(owned_classes(self.owned), key=lambda each: len(each.__mro__)):
            self.cover_class(kind)
        self.cover_plain(self._ours(plain_locals(modules, self.owned)))
        for module in modules:
            if rebind(module):
                self.report.later.append(str(module.__name__))

    def cover_class(self, kind: type[threading.local]) -> None:
        """Put ``ContextLocal`` between a class and ``threading.local``."""
        path = f"{kind.__module__}.{kind.__qualname__}"
        if issubclass(kind, ContextLocal) or any(path == each.path for each in self.report.missed):
            return
        reason = _reason_against(kind)
        if reason is None:
            bases = [ContextLocal if b is threading.local else b for b in kind.__bases__]
            if ContextLocal not in bases:
                bases.insert(0, ContextLocal)
            try:
                kind.__bases__ = tuple(bases)
            except TypeError as error:
                reason = f"Python refuses its new base: {error}"
        if reason is None:
            self.report.replaced.append(path)
        else:
            self.report.missed.append(Missed(path, reason))

    def cover_plain(self, found: Iterable[Found]) -> None:
        """Put other objects in the place of plain thread-locals."""
        replacements = Replacements()
        paths: dict[int, str] = {}
        for each in found:
            if not replacements.takes(each.local):
                replacements.add(each.local, stand_in(each.local))
                paths[id(each.local)] = each.path
        if not replacements:
            return
        ignored = [*found, *(new for _, new in replacements.values())]
        missed = replace(replacements, ignored)
        self.report.replaced += paths.values()
        for key, kinds in missed.items():
            reason = f"it is also held by: {', '.join(sorted(kinds))}"
            self.report.missed.append(Missed(paths[key], reason))

    def cover_named(self, path: str, value: Any) -> None:
        """Replace a thread-local, or the class of one, that the settings name."""
        if type(value) is threading.local:
            self.cover_plain([Found(value, path)])
        elif type(value) is not ModuleType:
            self.cover_class(value if isinstance(value, type) else type(value))

    def left(self) -> list[Missed]:
        """Return what is not replaced now, with what was made since in ways that nobody saw."""
        known = {missed.path for missed in self.report.missed}
        found = self._ours(plain_locals(owned_modules(self.owned), self.owned))
        return self.report.missed + [
            Missed(each.path, "it was found again after start-up")
            for each in found
            if each.path not in known
        ]

    def _ours(self, found: list[Found]) -> list[Found]:
        if not found:
            return []
        others = foreign((each.local for each in found), self.owned)
        return [each for each in found if id(each.local) not in others]


def _reason_against(kind: type[threading.local]) -> str | None:
    """Return why objects of a class cannot have their values in the context, None if they can."""
    for name in ACCESS:
        function = vars(kind).get(name)
        if function is not None and "super" not in getattr(function, "__code__", _NO_CODE).co_names:
            return f"its {name} does not call super()"
    if initialises(kind) and not _knows_arguments():
        return "this Python does not tell what its objects were made with"
    return None


class _NO_CODE:  # noqa: N801  # stands for a code object
    co_names = ()


def _knows_arguments() -> bool:
    class Probe(threading.local):
        def __init__(self, *args: int, **named: int) -> None:
            pass

    try:
        made = [init_arguments(Probe(1, named=2)), init_arguments(Probe())]
    except LookupError:
        return False
    return made == [((1,), {"named": 2}), ((), {})]


_installed: Installed | None = None


def install() -> None:
    """Replace the thread-locals that ``TURBO_ORM["REQUEST_LOCALS"]`` names; called once."""
    global _installed  # noqa: PLW0603  # one per process
    chosen = get_settings().REQUEST_LOCALS
    if _installed is not None or isinstance(chosen, bool):
        return
    if isinstance(chosen, str):
        installed = Installed(_owned())
    else:
        named = {path: resolve(path) for path in chosen}
        installed = Installed(_named(named.values()))
        for path, value in named.items():
            installed.cover_named(path, value)
    installed.cover(owned_modules(installed.owned))
    watch(installed.owned, lambda module: installed.cover([module]))
    _installed = installed


def report() -> Report:
    """Return what was replaced, and what is not replaced now."""
    if _installed is None:
        return Report()
    done = _installed.report
    return Report(list(done.replaced), list(done.later), _installed.left())


def resolve(path: str) -> Any:
    """Return the module, class or object at a dotted path.

    Raises:
        ImportError: there is none, or it is neither a module nor a thread-local.
    """
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        try:
            for name in parts[end:]:
                found = getattr(found, name)
        except AttributeError as error:
            raise ImportError(str(error)) from None
        kind = found if isinstance(found, type) else type(found)
        if issubclass(kind, threading.local | ModuleType):
            return found
        raise ImportError("it is neither a module nor a threading.local")
    raise ImportError(f"there is no module {parts[0]!r}")


def _owned() -> Ownership:
    modules = [getattr(django_settings, name, None) for name in ("ROOT_URLCONF", "SETTINGS_MODULE")]
    return Ownership(
        packages_of(
            (config.name for config in apps.get_app_configs()),
            django_settings.MIDDLEWARE,
            [each for each in modules if isinstance(each, str)],
        )
    )


def _named(values: Iterable[Any]) -> Ownership:
    modules = [each.__name__ for each in values if isinstance(each, ModuleType)]
    return Ownership(frozenset(modules), frozenset())
