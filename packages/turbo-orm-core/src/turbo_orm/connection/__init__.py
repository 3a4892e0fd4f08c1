"""What Django sees while it runs in the bridge: the wrapper, the connection, and whose they are."""

from .storage import install

__all__ = ["install"]

install()
