"""The private names of Ninja that this adapter uses, checked when it is imported.

A release may rename any of them: then the import fails and says what to install. A new use of such
a name needs a row in this table. ``turbo_orm.patches.names`` has those of Django's.
"""

from __future__ import annotations

from turbo_orm.foreign import PrivateName, Uses

ESSENTIAL = "essential"
# What the clients of `test` need.
CLIENTS = "clients"
GETTER = "ninja.schema.DjangoGetter"
PAGINATION = "ninja.pagination.PageNumberPagination"

TABLE: tuple[PrivateName, ...] = (
    # Our resolvers read what the getter of a schema holds.
    PrivateName(GETTER, "_obj", ("__init__",), ESSENTIAL),
    PrivateName(GETTER, "_schema_cls", ("__init__",), ESSENTIAL),
    PrivateName(GETTER, "_context", ("__init__",), ESSENTIAL),
    # Ninja's own validator of every schema, told apart from a project's.
    PrivateName("ninja.schema.Schema", "_run_root_validator", needs=ESSENTIAL),
    # Ours pages as theirs does, and functions that are paginated already are left alone.
    PrivateName(PAGINATION, "_get_page_size", ("paginate_queryset",), ESSENTIAL),
    # By these come the routers of other packages, and streams of their operations.
    PrivateName("ninja.main.NinjaAPI", "_get_bound_routers", ("_get_urls",), ESSENTIAL),
    PrivateName("ninja.operation.Operation", "_stream_response", ("run",), ESSENTIAL),
    PrivateName("ninja.operation.AsyncOperation", "_async_stream_response", ("run",), ESSENTIAL),
    # How Ninja's clients call an operation.
    PrivateName("ninja.testing.client.TestClient", "_call", needs=CLIENTS),
    PrivateName("ninja.testing.client.TestAsyncClient", "_call", ("request",), CLIENTS),
    PrivateName("ninja.pagination", "_ninja_is_paginated", ("_inject_pagination",), ESSENTIAL),
)
USES = Uses("turbo-orm-ninja", TABLE, {"django-ninja": "django-ninja~=1.7.1"})


def check() -> None:
    """Check that this Ninja has all of the names.

    Raises:
        ImproperlyConfigured: a name is gone, or is not used where it was.
    """
    USES.refuse(ESSENTIAL)
