"""A connection straight to a test database: past Django, the bridge and every pool."""

import psycopg
from django.db import connections

ADDRESS = ("dbname", "user", "password", "host", "port")
# What tests that count backends leave out.
NAME = "straight"


class Straight(psycopg.Connection):
    """A connection that works on while a test replaces how psycopg's wait."""

    wait = psycopg.Connection.wait


def connect(alias: str) -> psycopg.Connection:
    """Connect to the database of an alias."""
    parameters = connections[alias].get_connection_params()
    parameters = {name: parameters[name] for name in ADDRESS if name in parameters}
    return Straight.connect(**parameters, application_name=NAME, autocommit=True)
