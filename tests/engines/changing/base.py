"""An engine whose parameters are new for each connection, and which tries more than once."""

import itertools
import threading

import psycopg
from django.db.backends.postgresql import base

# How many attempts of each connection fail first.
refusals = {}
# The threads that asked for parameters.
asked_in = []


class DatabaseWrapper(base.DatabaseWrapper):
    numbers = itertools.count(1)

    def get_connection_params(self):
        asked_in.append(threading.current_thread())
        parameters = super().get_connection_params()
        return {**parameters, "application_name": f"token {next(self.numbers)}"}

    def get_new_connection(self, conn_params):
        for _ in range(refusals.get(self.alias, 0)):
            try:
                super().get_new_connection({**conn_params, "dbname": "there is none"})
            except psycopg.OperationalError:
                continue
        conn_params["application_name"] += " edited"
        return super().get_new_connection(conn_params)
