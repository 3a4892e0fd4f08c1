"""What is done before the bridge is used for the first time in a process.

Importing the package changes nothing of anybody's. A layer above leaves here what its work needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

# What is still to be done; whoever enters the bridge looks whether there is any.
waiting: list[Callable[[], bool]] = []
# One thread's preparation may import what asks for it again.
_lock = threading.RLock()


def before_first_use(preparation: Callable[[], bool]) -> None:
    """Let a function be called before the bridge is entered, until it has done its work.

    Args:
        preparation: returns whether it has. If it raises, it is called again the next time.
    """
    waiting.append(preparation)


def prepare() -> None:
    """Do what is still to be done.

    Raises:
        BaseException: whatever a preparation raises.
    """
    with _lock:
        waiting[:] = [preparation for preparation in waiting if not preparation()]
