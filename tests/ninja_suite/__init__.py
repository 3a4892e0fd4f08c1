"""Ninja's own tests, as they are, with the adapter installed in every API."""
