"""Pages that are cached, and caches that views use."""

from .base import Scenario, get

SCENARIOS = (
    Scenario(
        "cached pages",
        (
            get("/caching/memory/"),
            get("/caching/memory/", "memory again"),
            get("/caching/memory/?other=1", "another query"),
            get("/caching/memory/", "head", method="HEAD"),
            get("/caching/table/"),
            get("/caching/table/", "table again"),
            get("/caching/never/"),
            get("/caching/never/", "never again"),
            get("/caching/controlled/"),
        ),
    ),
    Scenario(
        "caches",
        (get("/caching/low-level/"), get("/caching/low-level/", "again")),
        stack="none",
    ),
    Scenario(
        "caches, async",
        (get("/caching/async-low-level/"), get("/caching/async-low-level/", "again")),
        stack="none",
    ),
    Scenario(
        "site cache",
        (
            get("/caching/counted/"),
            get("/caching/counted/", "counted again"),
            get("/caching/counted/?x=1", "another query"),
            get("/caching/counted/", "head", method="HEAD"),
            get("/caching/never/"),
            get("/caching/never/", "never again"),
            get("/fail/404/", "errors are not cached"),
        ),
        stack="site cache",
        settings=(("CACHE_MIDDLEWARE_ALIAS", "table"),),
    ),
)
