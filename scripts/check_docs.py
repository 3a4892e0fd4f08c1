"""Check the Python examples of the documentation: they compile, and what they import exists.

An example may use `await`, `async for` and `async with` at its top level, as a notebook may.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("*.md", "docs/**/*.md", "packages/*/README.md")
FENCE = re.compile(r"^```python[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
CHECKED_PACKAGE = "turbo_orm"


class Example(NamedTuple):
    """One fenced block, and where it begins."""

    page: str
    line: int
    source: str


def examples() -> Iterator[Example]:
    """Yield every Python block of every page."""
    for page in sorted({path for pattern in PAGES for path in ROOT.glob(pattern)}):
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start(1))
            yield Example(str(page.relative_to(ROOT)), line, match[1])


def problems(example: Example) -> Iterator[str]:
    """Yield what is wrong with one example."""
    # Empty lines in front make the line numbers those of the page.
    source = "\n" * example.line + example.source
    try:
        tree = compile(
            source,
            example.page,
            "exec",
            flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        )
    except SyntaxError as error:
        yield f"{example.page}:{error.lineno}: {error.msg}"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and is_ours(node.module):
            yield from missing(example.page, node)


def is_ours(module: str | None) -> bool:
    """Tell whether a module is one of this repository's packages."""
    return bool(module) and str(module).split(".")[0].startswith(CHECKED_PACKAGE)


def missing(page: str, node: ast.ImportFrom) -> Iterator[str]:
    """Yield the names that an import asks for in vain."""
    try:
        module = importlib.import_module(str(node.module))
    except ImportError as error:
        yield f"{page}:{node.lineno}: {error}"
        return
    for alias in node.names:
        if not hasattr(module, alias.name):
            yield f"{page}:{node.lineno}: {node.module} has no {alias.name}"


def set_up_django() -> None:
    """Models can be imported only in a project: take the example's."""
    sys.path.insert(0, str(ROOT / "examples" / "newsroom"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
    importlib.import_module("django").setup()


def main() -> int:
    """Print every problem, and how many examples there were."""
    set_up_django()
    found = list(examples())
    wrong = [problem for example in found for problem in problems(example)]
    for problem in wrong:
        print(problem)
    pages = len({example.page for example in found})
    print(f"{len(found)} examples on {pages} pages, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
