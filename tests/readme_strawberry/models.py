"""Execute the example of the README of turbo-orm-strawberry."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "packages" / "turbo-orm-strawberry" / "README.md"
[EXAMPLE] = re.findall(
    r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)

exec(compile(EXAMPLE, str(README), "exec"))
