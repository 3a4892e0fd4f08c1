"""Django's own test suite, run through Turbo ORM: the judge of semantics.

`python -m tests.django_suite --mode bridge --apps "basic lookup"`; see `make conformance`.
"""
