"""Who holds which connection: jobs, blocks, streams, threads and callers; turns and release."""

from .storage import install

__all__ = ["install"]

install()
