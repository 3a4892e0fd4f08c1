"""Views that query and write."""

from .base import Scenario, get

_QUERIES = (
    get("/database/listing/"),
    get("/database/async-listing/"),
    get("/database/detail/1/"),
    get("/database/detail/99/", "no such book"),
    get("/database/async-detail/1/"),
    get("/database/async-detail/99/", "no such book, async"),
    get("/database/write/"),
    get("/database/async-write/"),
    get("/database/async-reads/"),
    get("/database/committed/"),
    get("/database/rolled-back/"),
    get("/database/written-then-failed/"),
    get("/database/writers/"),
    get("/database/wrapped/"),
    get("/database/raw/"),
    get("/database/broken-sql/"),
    get("/database/async-broken-sql/"),
    get("/database/locked/"),
    get("/database/async-in-thread/"),
    get("/database/async-in-thread/", "in a thread again"),
    get("/database/asking-a-coroutine/"),
    get("/templated/books/"),
    get("/templated/books-with-writers/"),
    get("/templated/async-books/"),
    get("/templated/with-callback/"),
    get("/templated/async-with-callback/"),
    get("/templated/already-rendered/"),
)
_BLOCKS = (
    get("/database/in-block/"),
    get("/database/outside-block/"),
    get("/database/class-outside-block/"),
    get("/database/async-outside-block/"),
    get("/database/written-then-failed/"),
    get("/database/committed/"),
    get("/database/rolled-back/"),
    get("/database/locked/"),
    get("/database/broken-sql/"),
    get("/fail/404/"),
    get("/templated/books/"),
    get("/stream-books/"),
    get("/database/writers/"),
)

SCENARIOS = (
    Scenario("queries", _QUERIES, stack="none"),
    Scenario("queries of middleware", _QUERIES, stack="queries"),
    Scenario("queries in debug", _QUERIES, settings=(("DEBUG", True),)),
    Scenario("blocks", _BLOCKS),
    Scenario("atomic requests", _BLOCKS, atomic=True),
    Scenario("atomic requests and middleware", _BLOCKS, stack="queries", atomic=True),
)
