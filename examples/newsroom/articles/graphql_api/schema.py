"""The schema: what is read, what is written, and what keeps a public endpoint in bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from strawberry_django.optimizer import DjangoOptimizerExtension
from strawberry_django.permissions import IsAuthenticated
from strawberry_django.relay import DjangoListConnection

import strawberry
import turbo_orm_strawberry as turbo
from strawberry import relay
from turbo_orm_strawberry import AsyncGraphQLView, TurboExtension, guards, mutations

from .. import models
from .types import Article, ArticleInput, Author

# One for all: two of them would be two schema directives of one name in older versions.
SIGNED_IN = IsAuthenticated()


@strawberry.type
class Query:
    """What is read."""

    node: relay.Node = turbo.node()
    authors: list[Author] = turbo.field()

    @turbo.connection(DjangoListConnection[Article])
    async def articles(self) -> Iterable[Article]:
        """Every article that readers may see, page by page."""
        return models.Article.objects.published()  # type: ignore[return-value]

    @turbo.field
    async def article(self, slug: str) -> Article | None:
        """One of them."""
        # The field takes the first row, with what the operation asks for.
        return models.Article.objects.published().filter(slug=slug)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    """What is written, by those who are logged in."""

    create_article: Article = mutations.create(
        ArticleInput, handle_django_errors=True, extensions=[SIGNED_IN]
    )

    @turbo.mutation(atomic=True, extensions=[SIGNED_IN])
    async def retag(self, slug: str, tags: list[str]) -> Article:
        """Give an article other tags, all or none; new ones are made."""
        article = await models.Article.objects.aget(slug=slug)
        found = [(await models.Tag.objects.aget_or_create(name=name))[0] for name in tags]
        await article.tags.aset(found)
        return article  # type: ignore[return-value]


schema = strawberry.Schema(
    Query, Mutation, extensions=[*guards(), DjangoOptimizerExtension, TurboExtension]
)


class View(AsyncGraphQLView):
    """Serves the schema, and GraphiQL to a browser."""

    async def render_graphql_ide(self, request: HttpRequest) -> HttpResponse:
        """Let the page have the token that Django wants with what it posts."""
        get_token(request)
        page: Any = await super().render_graphql_ide(request)
        return page  # type: ignore[no-any-return]


view = View.as_view(schema=schema)
