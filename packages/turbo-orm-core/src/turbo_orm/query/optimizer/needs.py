"""What must be fetched of a model and of what is related to it, worked out once per tree."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.db.models.signals import class_prepared

from . import relations

Tree: TypeAlias = "dict[str, Tree]"


@dataclasses.dataclass(frozen=True)
class Need:
    """What is needed of one model.

    Args:
        model: the model.
        columns: the fields needed, None if it may be any.
        ones: related objects that are joined, each one row of a known table.
        many: everything else that is related; None stands for rows of several tables.
        narrow: whether columns can be left out here or in a table that is joined.
        single: whether it is the other side of a relation to one.
    """

    model: type[Model]
    columns: frozenset[str] | None
    ones: dict[str, Need]
    many: dict[str, Need | None]
    narrow: bool
    single: bool = False

    def joined(self, prefix: str = "") -> Iterator[str]:
        """Yield the arguments of ``select_related()``."""
        for name, need in self.ones.items():
            inner = list(need.joined(f"{prefix}{name}{LOOKUP_SEP}"))
            yield from inner or [f"{prefix}{name}"]

    def loaded(self, prefix: str = "") -> Iterator[str]:
        """Yield the arguments of ``only()``."""
        columns = self.columns
        if columns is None:
            columns = frozenset(field.name for field in self.model._meta.concrete_fields)
        yield from (f"{prefix}{name}" for name in sorted(columns) or ("pk",))
        for name, need in self.ones.items():
            yield from need.loaded(f"{prefix}{name}{LOOKUP_SEP}")

    def gathered(self, prefix: str = "") -> Iterator[tuple[str, Need | None]]:
        """Yield the lookups of ``prefetch_related()``, and what is needed of the rows there."""
        for name, inner in self.many.items():
            yield f"{prefix}{name}", inner
        for name, need in self.ones.items():
            yield from need.gathered(f"{prefix}{name}{LOOKUP_SEP}")

    def lookups(self, prefix: str = "") -> Iterator[str]:
        """Yield every relation, the nearer ones first."""
        for name, need in (*self.ones.items(), *self.many.items()):
            yield f"{prefix}{name}"
            if need is not None:
                yield from need.lookups(f"{prefix}{name}{LOOKUP_SEP}")

    def repeated(self, prefix: str = "") -> Iterator[str]:
        """Yield the relations that would be asked for once per row, even if there is one here."""
        for name, need in self.many.items():
            if need is not None and (need.ones or need.many):
                yield f"{prefix}{name}"
                yield from need.lookups(f"{prefix}{name}{LOOKUP_SEP}")
        for name, one in self.ones.items():
            yield from one.repeated(f"{prefix}{name}{LOOKUP_SEP}")


@functools.lru_cache(maxsize=1024)
def need_of(model: type[Model], paths: frozenset[str]) -> Need:
    """Return what must be fetched so that attributes can be read without another query.

    Args:
        model: the model of the rows.
        paths: attributes of a row, and of what is related to it behind dots.
    """
    return _need(model, _tree(paths), whole=False)


def _tree(paths: Iterable[str]) -> Tree:
    tree: Tree = {}
    for path in sorted(paths):
        branch = tree
        for name in path.split("."):
            branch = branch.setdefault(name, {})
    return tree


def _need(model: type[Model], tree: Tree, *, whole: bool, back: Iterable[str] = ()) -> Need:
    known = relations.attributes(model)
    # A property or method may read any column, of what is related too.
    whole = whole or any(name not in known for name in tree)
    unsure = False
    columns = set(back)
    ones: dict[str, Need] = {}
    many: dict[str, Need | None] = {}
    for name, inner in tree.items():
        field = known.get(name)
        if field is None:
            continue
        columns |= relations.columns_here(field)
        if not field.is_relation:
            continue
        if relations.is_to_any_table(field):
            many[name] = None
        elif relations.is_joined(field):
            ones[name] = _beyond(field, inner, whole=whole)
        elif not relations.is_to_one(field) and relations.is_asked_anew(field.related_model):
            # Its manager may look at any column of the row.
            unsure = True
        else:
            many[name] = _beyond(field, inner, whole=whole)
    return _assemble(model, columns, ones, many, whole=whole or unsure)


def _beyond(field: Any, inner: Tree, *, whole: bool) -> Need:
    # Without a name behind it the object itself is wanted.
    back = relations.columns_there(field)
    need = _need(field.related_model, inner, whole=whole or not inner, back=back)
    return dataclasses.replace(need, single=relations.is_to_one(field))


def _assemble(
    model: type[Model],
    columns: set[str],
    ones: dict[str, Need],
    many: dict[str, Need | None],
    *,
    whole: bool,
) -> Need:
    everything = {field.name for field in model._meta.concrete_fields}
    columns &= everything
    if (
        whole
        or relations.has_own_beginnings(model)
        or everything <= {*columns, model._meta.pk.name}
    ):
        return Need(model, None, ones, many, any(need.narrow for need in ones.values()))
    return Need(model, frozenset(columns), ones, many, narrow=True)


def _forget(**kwargs: Any) -> None:
    need_of.cache_clear()


class_prepared.connect(_forget, dispatch_uid="turbo_orm.optimizer.needs")
