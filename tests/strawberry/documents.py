"""Random GraphQL documents, valid and not, and what they cost by following every path."""

import dataclasses
import random
import re
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
)


@dataclasses.dataclass
class Grammar:
    """What documents select.

    Args:
        leaves: of each type, the fields without selections.
        branches: of each type, the fields with selections, and what they select on.
        arguments: of each field, or of a "field of Type", or of a "field in Type" that has it, its
            arguments, one of which is chosen.
    """

    leaves: dict[str, list[str]]
    branches: dict[str, dict[str, str]]
    arguments: dict[str, list[str]] = dataclasses.field(default_factory=dict)


class Generator:
    """Writes documents.

    Args:
        grammar: what they select.
        seed: of the choices.
        is_valid: whether fragments are defined, used and not inside themselves, and no field is
            selected twice with other arguments.
    """

    def __init__(self, grammar: Grammar, seed: int, *, is_valid: bool = True) -> None:
        self._grammar = grammar
        self._random = random.Random(seed)
        self._is_valid = is_valid
        # The fragments that may be spread, innermost first, and what they are on.
        self._fragments: dict[str, str] = {}
        self._aliases = 0

    def document(self, root: str = "Query", fragments: int = 4, depth: int = 4) -> str:
        """Return a document with one operation.

        Args:
            root: the type that it selects on.
            fragments: how many fragments it has at most.
            depth: how deep its fields are nested, apart from fragments.
        """
        types = list(self._grammar.leaves)
        bodies = {}
        if not self._is_valid:
            # Known from the beginning: they may spread themselves, and each other.
            self._fragments = {f"F{n}": self._random.choice(types) for n in range(fragments)}
            self._fragments["Undefined"] = root
        for number in range(self._random.randint(0, fragments)):
            on = self._fragments.get(f"F{number}") or self._random.choice(types)
            bodies[f"F{number}"] = (on, self._selections(on, depth // 2))
            self._fragments[f"F{number}"] = on
        written = [f"{{{self._selections(root, depth)}}}"]
        for name in reversed(bodies):
            on, body = bodies[name]
            if not self._is_valid or any(name in _spreads(text) for text in written):
                written.append(f"fragment {name} on {on} {{{body}}}")
        return " ".join(written)

    def _selections(self, on: str, depth: int) -> str:
        chosen = self._random.choices(range(5), k=self._random.randint(1, 4))
        found = [self._selection(on, depth, kind) for kind in chosen]
        if self._is_valid:
            # No fragment twice: strawberry's own limiter counts its aliases again.
            found = list(
                {text.split()[0] if "...F" in text[:4] else text: text for text in found}.values()
            )
        return " ".join(found)

    def _selection(self, on: str, depth: int, kind: int) -> str:
        spread = [name for name, its in self._fragments.items() if its == on]
        branches = self._grammar.branches.get(on)
        if kind == 0 and spread:
            name = self._random.choice(spread)
            return f"...{name}{self._directive()}"
        if kind == 1 and depth > 0:
            condition = self._random.choice(["", f" on {on}"])
            return f"...{condition}{self._directive()} {{{self._selections(on, depth - 1)}}}"
        if kind > 1 and branches and depth > 0:
            name = self._random.choice(list(branches))
            of = branches[name]
            return f"{self._field(name, of, on)} {{{self._selections(of, depth - 1)}}}"
        return self._field(self._random.choice([*self._grammar.leaves[on], "__typename"]))

    def _field(self, name: str, of: str = "", on: str = "") -> str:
        known = self._grammar.arguments
        keys = (f"{name} in {on}", f"{name} of {of}", name)
        arguments = self._random.choice(next((known[key] for key in keys if key in known), [""]))
        self._aliases += 1
        is_alone = not self._is_valid and self._random.random() < 0.7
        alias = (
            ""
            if is_alone or (not arguments and self._random.random() < 0.7)
            else f"a{self._aliases}: "
        )
        return f"{alias}{name}{arguments}{self._directive()}"

    def _directive(self) -> str:
        if self._random.random() < 0.8:
            return ""
        name = self._random.choice(["skip", "include"])
        return f" @{name}(if: {self._random.choice(['true', 'false'])})"


def _spreads(text: str) -> set[str]:
    return set(re.findall(r"\.\.\.(F\d+)", text))


def _spread(text: str) -> str | None:
    match = re.match(r"\.\.\.F\d+", text)
    return match and match[0]


class Paths:
    """Follows every path of a document: right, and endless for a document made to be so.

    Args:
        document: without fragments inside themselves.
        schema: graphql-core's.
        size: returns how many nodes a field has for each object, None without pages.
    """

    def __init__(self, document: DocumentNode, schema: GraphQLSchema, size: Any) -> None:
        self._schema = schema
        self._size = size
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        [self._operation] = [
            node for node in document.definitions if isinstance(node, OperationDefinitionNode)
        ]

    def nodes(self) -> int:
        """Return how many nodes the pages of the operation have."""
        root = self._schema.query_type
        return self._nodes(self._operation.selection_set, root, 1)

    def _nodes(self, selections: Any, parent: Any, around: int) -> int:
        total = 0
        seen = set()
        for node in selections.selections:
            if not _is_included(node):
                continue
            if isinstance(node, FragmentSpreadNode):
                if node.name.value not in seen:
                    fragment = self._fragments[node.name.value]
                    on = self._schema.get_type(fragment.type_condition.name.value)
                    total += self._nodes(fragment.selection_set, on, around)
                seen.add(node.name.value)
            elif isinstance(node, FieldNode):
                field = getattr(parent, "fields", {}).get(node.name.value)
                if field is not None:
                    size = self._size(node, field)
                    inside = around if size is None else around * size
                    total += 0 if size is None else inside
                    if node.selection_set is not None:
                        total += self._nodes(node.selection_set, get_named_type(field.type), inside)
            else:
                condition = node.type_condition
                on = self._schema.get_type(condition.name.value) if condition else parent
                total += self._nodes(node.selection_set, on, around)
        return total


def _is_included(node: Any) -> bool:
    return all(
        directive.arguments[0].value.value == (directive.name.value == "include")
        for directive in node.directives or ()
    )
