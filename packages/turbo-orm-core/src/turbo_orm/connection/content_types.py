"""Content types, looked up before somebody needs them where nothing can be awaited.

Django's manager of a generic relation asks for its content type when it is made, which an
expression such as ``article.comments.acreate()`` does on the event loop, outside the bridge.
"""

from __future__ import annotations

import contextlib

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError


def remember_content_types(alias: str) -> None:
    """Fill Django's cache with the content types of models that have generic relations.

    Args:
        alias: the database alias.
    """
    if not apps.is_installed("django.contrib.contenttypes"):
        return
    from django.contrib.contenttypes.fields import GenericRelation
    from django.contrib.contenttypes.models import ContentType

    manager = ContentType.objects.db_manager(alias)
    for model in apps.get_models():
        if any(isinstance(field, GenericRelation) for field in model._meta.private_fields):
            label, name = model._meta.app_label, model._meta.model_name
            # Before the first migration there is no table, and before post_migrate no row.
            with contextlib.suppress(DatabaseError, ObjectDoesNotExist):
                manager.get_by_natural_key(label, str(name))
