"""The same code on plain Django and with Turbo ORM, where it goes between threads and loops."""

import re
from pathlib import Path

STOCK, PLAIN, OURS = "stock", "plain managers", "own managers"

# The scenarios themselves need settings of their own.
NAMES = [
    name
    for room in sorted((Path(__file__).parent / "scenarios").glob("*.py"))
    for name in re.findall(
        r"^@(?:scenario|of_coroutine)\ndef (\w+)", room.read_text(), re.MULTILINE
    )
]
