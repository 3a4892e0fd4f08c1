"""The plain API, changed by the one command that the README tells, and by nothing else."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "packages" / "turbo-orm-drf" / "README.md"
PLAIN = Path(__file__).with_name("plain.py")
PATTERN, REPLACEMENT = re.search(
    r"perl -pi -e 's#(.*)#(.*)#g'", README.read_text(encoding="utf-8")
).groups()


def moved(source: str) -> str:
    """Return a Python file as it is after the command."""
    return re.sub(PATTERN, REPLACEMENT, source)


SOURCE = moved(PLAIN.read_text(encoding="utf-8"))
exec(compile(SOURCE, __file__, "exec"))
