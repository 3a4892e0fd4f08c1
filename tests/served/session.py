"""A user and a session of theirs, made without the server."""

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore

from tests.served.hashers import Hasher


def make_user(username: str, password: str, iterations: int = Hasher.iterations) -> User:
    """Make a user whose password takes the served project so many rounds to check."""
    hasher = Hasher()
    hasher.iterations = iterations
    hashed = make_password(password, hasher=hasher)
    return User.objects.create(username=username, password=hashed)


def log_in(user: User) -> str:
    """Make a session and return the header that shows it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"sessionid={session.session_key}"
