"""The same endpoints for stock Ninja, synchronous, and for ours, asynchronous."""
