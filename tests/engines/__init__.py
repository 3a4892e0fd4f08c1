"""Engines of the tests: subclasses of Django's own, as projects and packages write them."""
