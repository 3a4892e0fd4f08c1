"""Compare results by value, and say where they differ."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from django.db.models import Model, QuerySet

# Of the state of an instance: the other rows of its query, which are compared themselves.
LEFT_OUT = frozenset({"peers"})
# Equality of these types says all but what `exactly` adds.
PLAIN = (str, bytes, int, bool, type(None))


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """Return where and how two values differ, None if they do not.

    Containers are compared item by item, model instances by their attributes and state, other
    objects by their own equality or, if they have none, by their attributes.

    Args:
        one: what a plan has made.
        other: what Django has made.
        path: where they stand.
    """
    return _Comparison().find(one, other, path)


class _Comparison:
    def __init__(self) -> None:
        # Objects may refer to each other. Kept, so that no identity is used twice.
        self._pairs: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._ways: tuple[tuple[Any, Callable[[Any, Any, str], str | None]], ...] = (
            (PLAIN, self._find_by_equality),
            (Model, self._find_in_models),
            (QuerySet, self._find_in_querysets),
            (Mapping, self._find_in_items),
            ((list, tuple), self._find_in_sequences),
            (AbstractSet, self._find_in_sets),
        )

    def find(self, one: Any, other: Any, path: str) -> str | None:
        if one is other or (id(one), id(other)) in self._pairs:
            return None
        if type(one) is not type(other):
            return _told(path, one, other)
        self._pairs[id(one), id(other)] = one, other
        for kinds, way in self._ways:
            if isinstance(one, kinds):
                return way(one, other, path)
        if _has_equality(type(one)):
            return self._find_by_equality(one, other, path)
        return self._find_in_mappings(_attributes(one), _attributes(other), path, ".{}")

    def _find_by_equality(self, one: Any, other: Any, path: str) -> str | None:
        try:
            equal = bool(_exactly(one) == _exactly(other))
        except (TypeError, ValueError):
            # Arrays compare item by item: the answer has no truth value.
            return self._find_by_reduction(one, other, path)
        return None if equal else _told(path, one, other)

    def _find_by_reduction(self, one: Any, other: Any, path: str) -> str | None:
        """Find a difference in what a pickle of each value would consist of."""
        try:
            same = self.find(one.__reduce_ex__(2), other.__reduce_ex__(2), path) is None
        except TypeError:
            # There is no pickle of them.
            same = self.find(_attributes(one), _attributes(other), path) is None
        return None if same else _told(path, one, other)

    def _find_in_sets(self, one: Any, other: Any, path: str) -> str | None:
        if one == other:
            return None
        # Objects may equal only themselves.
        rest = list(other)
        for mine in one:
            alike = next((its for its in rest if difference(mine, its) is None), rest)
            if alike is rest:
                return _told(path, one, other)
            rest = [its for its in rest if its is not alike]
        return _told(path, one, other) if rest else None

    def _find_in_querysets(self, one: Any, other: Any, path: str) -> str | None:
        return self.find(one._result_cache, other._result_cache, path)

    def _find_in_items(self, one: Any, other: Any, path: str) -> str | None:
        if [*one] != [*other]:
            return _told(f"keys of {path.lstrip('.') or 'the result'}", [*one], [*other])
        return self._find_in_mappings(one, other, path)

    def _find_in_models(self, one: Any, other: Any, path: str) -> str | None:
        ours, theirs = dict(one.__dict__), dict(other.__dict__)
        our_state, their_state = vars(ours.pop("_state")), vars(theirs.pop("_state"))
        if list(ours) != list(theirs):
            return _told(
                f"attributes of {path.lstrip('.') or 'the object'}", list(ours), list(theirs)
            )
        left = {name: our_state[name] for name in our_state if name not in LEFT_OUT}
        right = {name: their_state[name] for name in their_state if name not in LEFT_OUT}
        return self._find_in_mappings(ours, theirs, path, ".{}") or self._find_in_mappings(
            left, right, f"{path}._state", ".{}"
        )

    def _find_in_mappings(
        self, one: Any, other: Any, path: str, place: str = "[{!r}]"
    ) -> str | None:
        if one.keys() != other.keys():
            return _told(f"attributes of {path.lstrip('.') or 'the object'}", [*one], [*other])
        for key in one:
            found = self.find(one[key], other[key], path + place.format(key))
            if found is not None:
                return found
        return None

    def _find_in_sequences(self, one: Any, other: Any, path: str) -> str | None:
        if len(one) != len(other):
            return _told(f"length of {path.lstrip('.') or 'the result'}", len(one), len(other))
        for number, (mine, its) in enumerate(zip(one, other, strict=True)):
            found = self.find(mine, its, f"{path}[{number}]")
            if found is not None:
                return found
        return None


def _has_equality(kind: type) -> bool:
    return any("__eq__" in vars(base) for base in kind.__mro__ if base is not object)


def _attributes(value: Any) -> dict[str, Any]:
    found = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name) and name not in {"__dict__", "__weakref__"}:
                found[name] = getattr(value, name)
    return found


def _exactly(value: Any) -> Any:
    """Return what tells a value from others that equal it, or are equal to nothing."""
    if isinstance(value, decimal.Decimal):
        # 1.0 is 1.00, and NaN is not NaN.
        return value.as_tuple()
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, datetime.datetime | datetime.time):
        # One moment has many zones.
        zone = value.tzinfo
        told = type(zone) if type(zone).__repr__ is object.__repr__ else repr(zone)
        return value.replace(tzinfo=None), value.utcoffset(), told, value.fold
    return value


def _told(path: str, one: Any, other: Any) -> str:
    where = f"{path.lstrip('.')}: " if path else ""
    return f"{where}{one!r}, Django's is {other!r}"
