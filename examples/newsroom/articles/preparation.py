"""Make a database ready to be shown: its tables, its rows and somebody to log in as."""

from __future__ import annotations

import io
import secrets

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import OutputWrapper

DEMO_USER = "demo"


class Dots(io.TextIOBase):
    """Show one dot per migration, instead of a line each."""

    def __init__(self, out: OutputWrapper) -> None:
        self.out = out

    def write(self, text: str) -> int:
        """Count what `migrate` reports as done."""
        if done := text.count(" OK"):
            self.out.write("." * done, ending="")
            self.out.flush()
        return len(text)


def prepare(out: OutputWrapper, articles: int) -> None:
    """Migrate, then seed what is empty; both show their progress."""
    out.write("  migrating ", ending="")
    call_command("migrate", interactive=False, no_color=True, stdout=Dots(out))
    out.write("")
    call_command("seed", articles=articles, stdout=out)


def demo_user() -> tuple[str, str]:
    """Make the administrator for the tour, with a new password each time, and return both."""
    password = secrets.token_urlsafe(9)
    user, _ = get_user_model()._default_manager.get_or_create(
        username=DEMO_USER, defaults={"is_staff": True, "is_superuser": True}
    )
    user.set_password(password)
    user.save()
    return DEMO_USER, password
