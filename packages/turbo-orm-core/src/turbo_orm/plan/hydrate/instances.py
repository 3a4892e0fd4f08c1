"""Model instances from rows: the generated form of ``ModelIterable``."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from django.db.models.base import ModelState

from ..source import NotExact, Source
from .classes import is_foreign_key, stores
from .columns import Columns, listed, variable
from .peers import PEERS, RELATED_PEERS, get_from_db
from .tree import Link, Node


class Instances:
    """Writes the function that makes a list of instances of a list of rows.

    Args:
        columns: of a row.
        tree: the objects of a row.
        annotations: what else the main object is given: names and columns.
    """

    def __init__(self, columns: Columns, tree: Node, annotations: dict[str, int]) -> None:
        if "_state" in annotations:
            raise NotExact("an annotation named _state")
        self._columns = columns
        self._tree = tree
        self._annotations = annotations
        self._nodes = list(tree.walk())
        self._numbers = {id(node): number for number, node in enumerate(self._nodes)}
        self._plain = [node.plain for node in self._nodes]
        self._source = Source()
        self._new = self._source.constant(object.__new__)
        self._state = self._source.constant(ModelState)
        self._ref = self._source.constant(weakref.ref)

    @property
    def plain(self) -> tuple[type, ...]:
        """The classes whose instances are made without running their code."""
        return tuple(
            node.model for node, plain in zip(self._nodes, self._plain, strict=True) if plain
        )

    @property
    def pure(self) -> bool:
        """Whether only Django's own code runs, and none that might query."""
        links = [link for node in self._nodes for link in (node.forward, node.backward)]
        return (
            self._columns.pure
            and all(self._plain)
            and all(link.key is not None or link.setter is None for link in links)
            and all(stores(self._tree.model, name) for name in self._annotations)
        )

    def function(self) -> Callable[..., list[Any]]:
        """Return the function: of rows, alias, connection and fetch mode."""
        source = self._source
        with source.block("def hydrate(rows, db, connection, fetch_mode):"):
            self._prepare()
            with source.block(f"for {self._columns.target} in rows:"):
                self._columns.convert(source)
                self._make(0)
                self._relate(0)
                self._annotate()
                source.add("add(o0)")
            source.add("return objects")
        return source.function("hydrate")

    def _prepare(self) -> None:
        source = self._source
        source.add("objects = []", "add = objects.append")
        if PEERS:
            source.add("track = fetch_mode.track_peers")
        for number, node in enumerate(self._nodes):
            model = source.constant(node.model)
            if self._plain[number]:
                source.add(f"m{number} = {model}")
            else:
                # Its code may keep the list of names, or change it.
                source.add(f"n{number} = {source.constant(node.names)}.copy()")
                source.add(
                    f"m{number} = {source.constant(get_from_db)}({model}, fetch_mode)",
                )
            if self._has_peers(number):
                source.add(f"p{number} = []")

    def _make(self, number: int) -> None:
        if self._plain[number]:
            self._make_plain(number, self._nodes[number])
            state = f"s{number}"
        else:
            self._call_from_db(number, self._nodes[number])
            state = f"o{number}._state"
        if self._has_peers(number):
            with self._source.block("if track:"):
                self._source.add(
                    f"p{number}.append({self._ref}(o{number}))", f"{state}.peers = p{number}"
                )

    @staticmethod
    def _has_peers(number: int) -> bool:
        return RELATED_PEERS if number else PEERS

    def _make_plain(self, number: int, node: Node) -> None:
        source = self._source
        source.add(f"s{number} = {self._state}()")
        if node.caches:
            source.add(f"s{number}.fields_cache = f{number} = {{}}")
        elif keys := self._foreign_keys(node):
            # Setting such a column looks into the cache, which makes one, unless it was None.
            with source.block(f"if {' or '.join(f'None != {key}' for key in keys)}:"):
                source.add(f"s{number}.fields_cache = {{}}")
        source.add(f"s{number}.adding = False", f"s{number}.db = db")
        if PEERS:
            source.add(f"s{number}.fetch_mode = fetch_mode")
        # Filled key by key it shares its keys with the other instances: half the memory.
        source.add(f"o{number} = {self._new}(m{number})", f"d{number} = o{number}.__dict__")
        source.add(f"d{number}['_state'] = s{number}")
        for name, position in node.attributes():
            source.add(f"d{number}[{source.string(name)}] = {variable(position)}")

    def _foreign_keys(self, node: Node) -> list[str]:
        return [
            variable(position)
            for name, position in node.attributes()
            if is_foreign_key(node.model, name)
        ]

    def _call_from_db(self, number: int, node: Node) -> None:
        # Converted rows are lists in Django, others tuples; who overrides from_db() may care.
        values = f"({listed(node.positions)})"
        if self._columns.converters and not node.reordered:
            values = f"[{listed(node.positions)}]"
        self._source.add(f"o{number} = m{number}(db, n{number}, {values})")

    def _relate(self, number: int) -> None:
        for node in self._nodes[number].related:
            self._hang(self._numbers[id(node)], node, number)

    def _hang(self, number: int, node: Node, owner: int) -> None:
        source = self._source
        with source.block(f"if {variable(node.existence)} is None:"):
            self._tell(node.forward, owner, "None")
        with source.block("else:"):
            self._make(number)
            self._relate(number)
            self._tell(node.forward, owner, f"o{number}")
            if self._plain[number]:
                self._tell(node.backward, number, f"o{owner}")
            elif node.backward.setter is not None:
                # A from_db() of the project's own may have returned None.
                with source.block(f"if o{number} is not None:"):
                    self._tell(node.backward, number, f"o{owner}")

    def _tell(self, link: Link, number: int, other: str) -> None:
        if link.key is not None and self._plain[number]:
            self._source.add(f"f{number}[{self._source.string(link.key)}] = {other}")
        elif link.setter is not None:
            self._source.add(f"{self._source.constant(link.setter)}(o{number}, {other})")

    def _annotate(self) -> None:
        source = self._source
        for name, position in self._annotations.items():
            key, value = source.string(name), variable(position)
            if self._plain[0] and stores(self._tree.model, name):
                source.add(f"d0[{key}] = {value}")
            else:
                source.add(f"{source.constant(setattr)}(o0, {key}, {value})")
