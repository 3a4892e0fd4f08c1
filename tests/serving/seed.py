"""The rows that every scenario begins with."""

from django.contrib.auth.models import Permission, User
from django.core.cache import caches
from django.db import connection, transaction

from tests.cleaning import Cleaner

from .models import Book, Topic, Writer
from .views import caching


@transaction.atomic
def fill() -> None:
    """Make the rows."""
    writers = [Writer.objects.create(name=name) for name in ("first writer", "second writer")]
    topics = [Topic.objects.create(name=name) for name in ("sea", "hills")]
    for number, title in enumerate(("one", "two", "three")):
        book = Book.objects.create(title=title, pages=100 * number, writer=writers[number % 2])
        book.topics.set(topics[:number])
    for name in ("anna", "bert", "gone"):
        User.objects.create_user(name, password="secret", is_active=name != "gone")
    permission = Permission.objects.get(codename="add_book")
    User.objects.get(username="anna").user_permissions.add(permission)


def seed(cleaner: Cleaner) -> None:
    """Empty the tables and fill them; in a thread, as migrations would be run."""
    cleaner.clean()
    fill()
    caches["table"].clear()
    caching.start_again()
    connection.close()
