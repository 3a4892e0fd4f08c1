"""What is done: functions, called in the main thread; what they return is compared."""

from . import blocks, calls, serving, turns, two_calls
from .registry import OF_COROUTINES, SCENARIOS

__all__ = ["OF_COROUTINES", "SCENARIOS", "blocks", "calls", "serving", "turns", "two_calls"]
