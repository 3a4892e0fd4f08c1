"""The plain API, with its import lines changed as the README says, and nothing else."""

import re
from pathlib import Path

PLAIN = Path(__file__).with_name("plain.py")
MOVED = re.compile(
    r"^from rest_framework(?= import|\.(?:decorators|generics|mixins|pagination|serializers"
    r"|routers|test|views|viewsets) import)",
    re.MULTILINE,
)
SOURCE = MOVED.sub("from turbo_orm_drf", PLAIN.read_text(encoding="utf-8"))

exec(compile(SOURCE, __file__, "exec"))
