"""What a queryset was told to fetch, read without ending the recording of its chain."""

from __future__ import annotations

from typing import Any, NamedTuple


class Wishes(NamedTuple):
    """The parts of Django's ``Query`` that say which columns and relations are fetched.

    Args:
        joins: whether ``select_related()`` was called.
        loaded: what ``only()`` and ``defer()`` have named, as ``Query.deferred_loading``.
        combined: whether it is a ``union()`` or one of its kin.
        locks: whether it is ``select_for_update()``.
        annotations: the names that each row has beside its fields.
        spans: whether its conditions join other tables.
    """

    joins: bool
    loaded: tuple[Any, bool]
    combined: bool
    locks: bool
    annotations: frozenset[str]
    spans: bool

    @classmethod
    def of(cls, query: Any) -> Wishes:
        """Read them from a query of Django's."""
        return cls(
            joins=query.select_related is not False,
            loaded=query.deferred_loading,
            combined=bool(query.combinator),
            locks=bool(query.select_for_update),
            annotations=frozenset(query.annotations),
            spans=len(query.alias_map) > 1,
        )

    @property
    def defers(self) -> bool:
        """Whether some columns are fetched only when somebody looks at them."""
        return self.loaded != (frozenset(), True)

    def fetches(self, name: str) -> bool:
        """Tell whether a field of the rows' own is fetched at once.

        Args:
            name: the name of the field.
        """
        names, deferred = self.loaded
        if deferred:
            return name not in names
        return any(named == name or named.startswith(f"{name}__") for named in names)
