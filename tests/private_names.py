"""Which private names of other packages the sources use, found in their syntax trees."""

import ast
import importlib
import inspect
import pkgutil
from collections import defaultdict
from pathlib import Path

from django.db.backends.postgresql.base import DatabaseWrapper

from turbo_orm.connection.wrapper import BridgedWrapper

ROOT = Path(__file__).parents[1] / "packages"
SOURCES = [path for path in ROOT.rglob("src/*/**/*.py") if "egg-info" not in str(path)]
OURS = {path.parts[path.parts.index("src") + 1] for path in SOURCES}
FOREIGN_PACKAGES = ("asgiref", "django", "psycopg", "psycopg_pool")


def is_private(name):
    return name.startswith("_") and not name.startswith(("__", "_turbo")) and name.isidentifier()


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


class Names(ast.NodeVisitor):
    """What one module defines and uses of private names."""

    def __init__(self):
        self.defined, self.used, self.strings, self.inherited = set(), set(), set(), set()
        self.classes = {}
        self.within = []

    def visit_If(self, node):
        for child in node.orelse if is_type_checking(node) else [node]:
            self.generic_visit(child)

    def visit_ClassDef(self, node):
        self.defined.add(node.name)
        self.within.append(self.classes.setdefault(node.name, set()))
        self.generic_visit(node)
        self.within.pop()

    def visit_FunctionDef(self, node):
        self.defined.add(node.name)
        if self.within:
            self.within[-1].add(node.name)
        self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node):
        self.visit_FunctionDef(node)

    def visit_arg(self, node):
        self.defined.add(node.arg)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.defined.add(node.id)

    def visit_ImportFrom(self, node):
        if not node.level and node.module.partition(".")[0] not in OURS:
            self.used.update(alias.name for alias in node.names)

    def visit_Attribute(self, node):
        self.generic_visit(node)
        self.used.add(node.attr)
        value = ast.unparse(node.value)
        if value.startswith("super("):
            self.inherited.add(node.attr)
        if value in {"self", "cls"} and isinstance(node.ctx, ast.Store):
            self.defined.add(node.attr)
        if value in {"self", "cls"} and self.within:
            self.within[-1].add(node.attr)

    def visit_Assign(self, node):
        # Names of slots are our own.
        if ast.unparse(node.targets[0]) == "__slots__":
            found = filter(lambda each: isinstance(each, ast.Constant), ast.walk(node.value))
            self.defined.update(each.value for each in found)
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str) and not node.value.endswith("_"):
            self.strings.add(node.value)


def room_of(path):
    """Return the package, or the package in a package, that a module is in."""
    parts = path.parts[path.parts.index("src") + 1 : -1]
    return parts[:2]


def modules():
    for package in sorted(OURS):
        yield importlib.import_module(package)
        path = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(path, f"{package}."):
            yield importlib.import_module(found.name)


def of_foreign_bases(kind):
    """Return the private names that the classes have from which one of ours inherits."""
    bases = [*kind.__mro__, *(DatabaseWrapper.__mro__ if issubclass(kind, BridgedWrapper) else ())]
    found = set()
    for base in bases:
        if base.__module__.partition(".")[0] in FOREIGN_PACKAGES:
            found.update(vars(base))
            for value in vars(base).values():
                if inspect.isfunction(value):
                    found.update(inspect.unwrap(value).__code__.co_names)
    return found


def names_used():
    """Return the private names of others that the sources use, and all that they mention."""
    seen = {}
    for path in SOURCES:
        names_of = seen[path] = Names()
        # The tables themselves use nothing.
        if path.name not in {"names.py", "driver.py"}:
            names_of.visit(ast.parse(path.read_text("utf-8")))
    defined, in_room = set(), defaultdict(set)
    for path, each in seen.items():
        defined |= each.defined
        in_room[room_of(path)] |= each.defined
    foreign = set()
    for path, each in seen.items():
        # What is private is used in its own room; in strings it may stand anywhere.
        foreign |= each.used - in_room[room_of(path)] | each.strings - defined | each.inherited
    for module in modules():
        mentioned = seen.get(Path(module.__file__))
        for name, mentions in mentioned.classes.items() if mentioned else ():
            kind = getattr(module, name, None)
            if inspect.isclass(kind):
                foreign |= mentions & of_foreign_bases(kind)
    everything = defined.union(*(each.used | each.strings for each in seen.values()))
    return set(filter(is_private, foreign)), everything
