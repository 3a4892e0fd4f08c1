"""A connection straight to a test database: past Django, the bridge and every pool."""

import psycopg
from django.db import connections

ADDRESS = ("dbname", "user", "password", "host", "port")
# What tests that count backends leave out.
NAME = "straight"


def connect(alias: str) -> psycopg.Connection:
    """Connect to the database of an alias."""
    parameters = connections[alias].get_connection_params()
    parameters = {name: parameters[name] for name in ADDRESS if name in parameters}
    return psycopg.connect(**parameters, application_name=NAME, autocommit=True)
