"""Define the models that the README's quickstart shows, from its very text."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
MODELS, STATEMENTS = re.findall(
    r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)[:2]

exec(compile(MODELS, str(README), "exec"))
