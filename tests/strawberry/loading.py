"""The same definitions twice: made with strawberry-django and with the adapter."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent


def load(api: Any, name: str) -> ModuleType:
    """Return a fresh module of the definitions.

    Args:
        api: what makes types, fields and mutations.
        name: the module's.
    """
    spec = importlib.util.spec_from_file_location(
        f"tests.strawberry.definitions_{name}", HERE / "definitions.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.api = api  # type: ignore[attr-defined]
    # Strawberry looks for the names of annotations there.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
