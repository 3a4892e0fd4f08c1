"""The private names of DRF that this adapter uses, checked at start-up.

A release may rename any of them: then the application refuses to start. A new use of such a name
needs a row in this table.
``turbo_orm.patches.names`` has those of Django's.
"""

from __future__ import annotations

from turbo_orm.foreign import PrivateName, Uses

ESSENTIAL = "essential"
# Code has these or not; nothing fails without them.
MARKS = "marks"

TABLE: tuple[PrivateName, ...] = (
    # Ours is made with the paginator of our own.
    PrivateName("rest_framework.generics.GenericAPIView", "_paginator", ("paginator",), ESSENTIAL),
    PrivateName(
        "rest_framework.serializers.Serializer", "_declared_fields", ("get_fields",), ESSENTIAL
    ),
    # The validators that a field was made with; those among them that are coroutine functions wait.
    PrivateName("rest_framework.fields.Field", "_kwargs", ("__deepcopy__",), ESSENTIAL),
    # Code of the project's has these or not, in the place of DRF's.
    PrivateName("rest_framework.serializers.Serializer", "_readable_fields", needs=MARKS),
    PrivateName("rest_framework.serializers.ModelSerializer", "_get_model_fields", needs=MARKS),
    # By these a function says that it returns an awaitable; one that waits must not.
    PrivateName("asyncio.coroutines", "_is_coroutine", needs=MARKS),
    PrivateName(
        "inspect", "_is_coroutine_marker", ("markcoroutinefunction",), needs=MARKS, since=(3, 12)
    ),
)
USES = Uses("turbo-orm-drf", TABLE, {"djangorestframework": "djangorestframework~=3.18.3"})


def check() -> None:
    """Check that this DRF has all of the names.

    Raises:
        ImproperlyConfigured: a name is gone that nothing here works without.
    """
    USES.refuse(ESSENTIAL)
