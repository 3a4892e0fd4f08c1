"""An engine that overrides each method that an engine may override, and calls Django's."""

from django.db.backends.postgresql import base

# The methods that were called, by alias.
calls = {}

HOOKS = (
    *("get_connection_params", "get_new_connection", "init_connection_state", "create_cursor"),
    *("cursor", "_cursor", "close", "commit", "rollback", "_commit", "_rollback"),
    *("savepoint", "savepoint_rollback", "savepoint_commit", "clean_savepoints"),
    *("_savepoint", "_savepoint_rollback", "_savepoint_commit"),
    *("ensure_connection", "chunked_cursor", "set_autocommit"),
)


class DatabaseWrapper(base.DatabaseWrapper):
    pass


def _hooked(name):
    def method(self, *args, **kwargs):
        calls.setdefault(self.alias, []).append(name)
        return getattr(super(DatabaseWrapper, self), name)(*args, **kwargs)

    method.__name__ = name
    return method


for hook in HOOKS:
    setattr(DatabaseWrapper, hook, _hooked(hook))
