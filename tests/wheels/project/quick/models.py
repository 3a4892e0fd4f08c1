"""The first example of the README, as it lies in the wheel."""

import os
import re
from importlib.metadata import metadata

README = str(metadata("turbo-orm-" + os.environ["WHEELS_PACKAGE"]).get_payload())
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

exec(compile(EXAMPLES[0], "README.md", "exec"))
