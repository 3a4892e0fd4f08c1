"""The API itself: its routers, and what it answers where the ORM raises an error."""

from __future__ import annotations

from turbo_orm_ninja import TurboNinjaAPI, handle_conflicts, handle_missing

from . import articles, authors

api = TurboNinjaAPI(title="Newsroom", version="1", urls_namespace="newsroom-ninja")
handle_missing(handle_conflicts(api))
api.add_router("/articles", articles.router)
api.add_router("/authors", authors.router)
