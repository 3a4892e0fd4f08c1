"""A password hasher that takes some tens of milliseconds instead of hundreds."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Hasher(PBKDF2PasswordHasher):
    """Django's default one, with fewer rounds."""

    iterations = 100_000
