"""The private names of Strawberry that this adapter uses, checked when it is imported.

A release may rename any of them: then the import fails and says what to install. A new use of such
a name needs a row in this table. ``turbo_orm.patches.names`` has those of Django's.
"""

from __future__ import annotations

from turbo_orm.foreign import PrivateName, Uses

ESSENTIAL = "essential"

# Those that are replaced stand in `redirect.TABLE`, which is checked too.
TABLE: tuple[PrivateName, ...] = (
    # The schema of graphql-core.
    PrivateName("strawberry.schema.Schema", "_schema", ("__init__",), ESSENTIAL),
    # How strawberry-django says that a nested list is fetched with its parents.
    PrivateName(
        "strawberry_django.pagination.StrawberryDjangoPagination",
        "_strawberry_related_field_id",
        ("get_queryset",),
        ESSENTIAL,
    ),
)
USES = Uses(
    "turbo-orm-strawberry",
    TABLE,
    {
        "strawberry-graphql": "strawberry-graphql~=0.341.2",
        "strawberry-graphql-django": "strawberry-graphql-django~=0.93.0",
    },
)


def check() -> None:
    """Check that this Strawberry has all of the names.

    Raises:
        ImproperlyConfigured: a name is gone, or is not used where it was.
    """
    USES.refuse(ESSENTIAL)
