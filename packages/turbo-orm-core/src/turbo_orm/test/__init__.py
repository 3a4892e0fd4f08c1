"""What tests of asynchronous Django code need; never imported where requests are served."""

from .client import AsyncClient

__all__ = ["AsyncClient"]
