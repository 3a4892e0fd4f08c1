"""What tests of guests share: of connections that several threads, or a thread and a loop, use."""

from tests.testapp.models import Tag


class Undone(Exception):
    """What rolls back."""


def names() -> list[str]:
    """Return the names of all tags, in their order."""
    return list(Tag.objects.order_by("pk").values_list("name", flat=True))


def add(name: str) -> str:
    """Make a tag; return its name."""
    return Tag.objects.create(name=name).name
