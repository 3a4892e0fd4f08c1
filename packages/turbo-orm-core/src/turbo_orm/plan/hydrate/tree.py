"""The objects of one row as a tree: the main one and what ``select_related`` hangs on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Model
from django.db.models.fields.mixins import FieldCacheMixin

from ..source import NotExact
from .classes import cache_key, is_plain


@dataclasses.dataclass(frozen=True)
class Link:
    """How one of two related objects is told of the other.

    Args:
        setter: called with the object told and the one told of; None if it does nothing.
        key: the key in the ``fields_cache`` to which the setter writes, if that is all it does.
    """

    setter: Callable[[Any, Any], None] | None
    key: str | None


@dataclasses.dataclass(frozen=True)
class Node:
    """One object of a row.

    Args:
        model: its class.
        names: its attributes that were fetched: the ``field_names`` of ``from_db``.
        positions: the row's columns with their values.
        reordered: the columns are not one slice of the row.
        forward: tells the owner of it.
        backward: tells it of its owner.
        related: what hangs on it.
    """

    model: type[Model]
    names: list[str]
    positions: list[int]
    reordered: bool
    forward: Link
    backward: Link
    related: tuple[Node, ...]

    @property
    def plain(self) -> bool:
        """Whether making it runs none of its class's code."""
        return is_plain(self.model, [name for name, _ in self.attributes()])

    @property
    def caches(self) -> bool:
        """Whether it surely gets a ``fields_cache``."""
        return self.backward.key is not None or any(
            node.forward.key is not None for node in self.related
        )

    @property
    def existence(self) -> int:
        """The column that is NULL when there is no such object."""
        meta: Any = self.model._meta
        fields = meta.pk_fields if hasattr(meta, "pk_fields") else [meta.pk]
        return self.positions[self.names.index(fields[0].attname)]

    def attributes(self) -> list[tuple[str, int]]:
        """Return what ``__init__`` sets, in its order, and the columns.

        Raises:
            NotExact: the columns do not fit the class.
        """
        concrete = [field.attname for field in self.model._meta.concrete_fields]
        if len(self.names) != len(concrete):
            # Django, too, goes by order: it asks the names only what is there.
            concrete = [name for name in concrete if name in self.names]
        if len(concrete) != len(self.positions):
            raise NotExact("columns that are no fields")
        return list(zip(concrete, self.positions, strict=True))

    def walk(self) -> Iterator[Node]:
        """Yield it and all that hangs on it."""
        yield self
        for node in self.related:
            yield from node.walk()


def make_tree(compiler: Any) -> Node:
    """Return the main object of each row.

    Raises:
        NotExact: the rows make no objects, or ones that do not fit their classes.
    """
    if compiler.klass_info is None:
        raise NotExact("no model")
    return _make_node(compiler.klass_info, compiler.select)


def _make_node(info: dict[str, Any], select: list[Any]) -> Node:
    columns = info["select_fields"]
    names = {position: select[position][0].target.attname for position in columns}
    if reordered := info.get("from_parent", False):
        positions = _in_order_of_fields(info["model"], names)
    else:
        positions = list(range(columns[0], columns[-1] + 1))
    if list(names) != columns or (not reordered and positions != columns):
        raise NotExact("scattered columns")
    return Node(
        info["model"],
        [names[position] for position in positions],
        positions,
        reordered,
        _link(info.get("local_setter")),
        _link(None if _tells_nothing(info) else info.get("remote_setter")),
        tuple(_make_node(child, select) for child in info.get("related_klass_infos", ())),
    )


def _in_order_of_fields(model: type[Model], names: dict[int, str]) -> list[int]:
    # A child of a parent that is fetched too shares the parent's columns.
    column = {name: position for position, name in names.items()}
    fields = [field.attname for field in model._meta.concrete_fields]
    positions = [column[name] for name in fields if name in column]
    if len(positions) == 1:
        raise NotExact("a child of one column")
    return positions


def _tells_nothing(info: dict[str, Any]) -> bool:
    # Many articles have one author: there Django's setter is a function that does nothing.
    return "field" not in info or not (info["reverse"] or info["field"].unique)


def _link(setter: Any) -> Link:
    if getattr(setter, "__func__", None) is not FieldCacheMixin.set_cached_value:
        return Link(setter, None)
    return Link(setter, cache_key(setter.__self__))
