"""The servers, each with what it has in ``TURBO_ORM``; what stock Django does is the measure."""

from typing import Any

# Django's own handlers: the measure of coroutine views, and that of synchronous views.
STOCK = "stock"
STOCK_WSGI = "stock, WSGI"
ON_THE_LOOP = "views on the loop"

FLAVOURS: dict[str, dict[str, Any]] = {
    STOCK: {},
    STOCK_WSGI: {},
    "ours": {},
    ON_THE_LOOP: {"SYNC_VIEWS": "loop"},
}
OURS = [flavour for flavour in FLAVOURS if not flavour.startswith(STOCK)]
