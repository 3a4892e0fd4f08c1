"""Execute the example of the README of turbo-orm-ninja; that of tests is for a test."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "packages" / "turbo-orm-ninja" / "README.md"
EXAMPLE, TESTS = re.findall(
    r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)

exec(compile(EXAMPLE, str(README), "exec"))
