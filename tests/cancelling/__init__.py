"""Random programs of tasks, timeouts and blocks, run step by step, and what came of each node."""
