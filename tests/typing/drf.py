"""What type checkers know of the adapter for DRF, which itself has no types."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from typing_extensions import assert_type

from turbo_orm_drf import StreamingResponse, permissions, reads
from turbo_orm_drf.authtoken.models import Token
from turbo_orm_drf.decorators import action, api_view
from turbo_orm_drf.pagination import PageNumberPagination
from turbo_orm_drf.permissions import AllowAny
from turbo_orm_drf.serializers import ModelSerializer
from turbo_orm_drf.viewsets import ModelViewSet

# DRF's own modules, found by our name: as untyped as they are there.
assert_type(AllowAny, Any)
assert_type(Token, Any)
assert_type(permissions, Any)


class Pages(PageNumberPagination):
    """Counts as far as it is asked to."""

    counted = 10_000


class Articles(ModelViewSet):
    """Has an action of each kind."""

    pagination_class = Pages

    @action(detail=True, methods=["post"])
    async def publish(self, request: Any, pk: int) -> str:
        """Return a name."""
        return "name"

    @action(detail=False)
    def export(self, request: Any) -> StreamingResponse:
        """Return a stream."""
        return StreamingResponse([1], status=202)


class Article(ModelSerializer):
    """Says what it reads."""

    @reads("author.name")
    def get_words(self, article: Any) -> list[str]:
        """Return words."""
        return []


@api_view(["GET"])
async def view(request: Any) -> str:
    """Return a name."""
    return "name"


async def check(serializer: Article, articles: Articles) -> None:
    """Await everything that is awaitable."""
    assert_type(await serializer.ais_valid(raise_exception=True), bool)
    assert_type(await articles.publish(None, 5), str)
    assert_type(serializer.get_words(None), list[str])
    assert_type(articles.export(None), StreamingResponse)
    assert_type(view(None), Awaitable[Any])
