"""The private names of DRF that this adapter uses, checked at start-up.

A release may rename any of them: then the application refuses to start, or DRF derives the fields
of each serializer anew. A new use of such a name needs a row in this table.
``turbo_orm.patches.names`` has those of Django's.
"""

from __future__ import annotations

import functools
import logging

from turbo_orm.foreign import PrivateName, Uses

logger = logging.getLogger("turbo_orm_drf")

ESSENTIAL = "essential"
RECIPES = "recipes"
# A function has these or not; nothing fails without them.
MARKS = "marks"

TABLE: tuple[PrivateName, ...] = (
    # Ours is made with the paginator of our own.
    PrivateName("rest_framework.generics.GenericAPIView", "_paginator", ("paginator",), ESSENTIAL),
    PrivateName(
        "rest_framework.serializers.Serializer", "_declared_fields", ("get_fields",), ESSENTIAL
    ),
    # By these a function says that it returns an awaitable; one that waits must not.
    PrivateName("asyncio.coroutines", "_is_coroutine", needs=MARKS),
    PrivateName(
        "inspect", "_is_coroutine_marker", ("markcoroutinefunction",), needs=MARKS, since=(3, 12)
    ),
    # How DRF copies a field, and derives those of a model.
    PrivateName("rest_framework.fields.Field", "_args", ("__deepcopy__",), RECIPES),
    PrivateName("rest_framework.fields.Field", "_kwargs", ("__deepcopy__",), RECIPES),
    PrivateName("rest_framework.serializers.ModelSerializer", "_get_model_fields", needs=RECIPES),
)
USES = Uses("turbo-orm-drf", TABLE, {"djangorestframework": "djangorestframework~=3.18.3"})


def check() -> None:
    """Check that this DRF has all of the names.

    Raises:
        ImproperlyConfigured: a name is gone that nothing here works without.
    """
    USES.refuse(ESSENTIAL)
    has_recipes()


@functools.lru_cache(maxsize=1)
def has_recipes() -> bool:
    """Tell whether DRF has what recipes of fields need, and log what it lacks."""
    faults = USES.missing(RECIPES)
    for row, fault in faults:
        logger.warning(
            "%s DRF derives the fields of each serializer anew. %s",
            *(USES.told(row, fault), USES.remedy(row)),
        )
    return not faults
