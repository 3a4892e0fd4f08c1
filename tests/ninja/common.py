"""What both APIs of the differential test are given, and the rows that they serve."""

from typing import Annotated, Any

from django.http import HttpResponse
from ninja.security import APIKeyCookie, APIKeyHeader, APIKeyQuery, HttpBasicAuth, HttpBearer
from ninja.throttling import AnonRateThrottle

from ninja import FilterLookup, FilterSchema, NinjaAPI
from tests.testapp.models import Article, Author, Comment, Profile, Tag

SECRET = "s3cret"


class Refused(Exception):
    """Has a handler of the project's."""


class ArticleFilter(FilterSchema):
    author: Annotated[str | None, FilterLookup("author__name")] = None
    words: Annotated[str | None, FilterLookup(["title__icontains", "author__name__icontains"])] = (
        None
    )
    is_published: bool | None = None


class Header(APIKeyHeader):
    param_name = "X-API-Key"

    def authenticate(self, request: Any, key: str | None) -> Any:
        return Author.objects.filter(name=key).first()


class Query(APIKeyQuery):
    def authenticate(self, request: Any, key: str | None) -> Any:
        return Author.objects.filter(name=key).first()


class Cookie(APIKeyCookie):
    param_name = "key"

    def authenticate(self, request: Any, key: str | None) -> Any:
        return Author.objects.filter(name=key).first()


class Bearer(HttpBearer):
    def authenticate(self, request: Any, token: str) -> Any:
        return Author.objects.filter(name=token).first()


class Basic(HttpBasicAuth):
    def authenticate(self, request: Any, username: str, password: str) -> Any:
        return Author.objects.filter(name=username).first() if password == SECRET else None


def by_address(request: Any) -> Any:
    return Author.objects.filter(name=request.GET.get("who")).first()


def failing(request: Any) -> Any:
    raise Refused("by the callback")


class Throttle(AnonRateThrottle):
    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__("2/m")


def add_handlers(api: NinjaAPI) -> None:
    """Give an API the project's own handler."""

    @api.exception_handler(Refused)
    def refused(request: Any, error: Any) -> HttpResponse:
        return api.create_response(request, {"refused": str(error)}, status=418)


def fill() -> None:
    """Make the rows; outside the loop or in the bridge."""
    tags = [Tag.objects.create(name=f"tag{n}") for n in range(3)]
    for number in range(5):
        author = Author.objects.create(name=f"author{number}", age=number)
        if number != 2:
            Profile.objects.create(author=author, bio=f"bio{number}")
        article = Article.objects.create(
            title=f"title{number}",
            author=author,
            editor=author if number % 2 else None,
            is_published=number != 3,
            views=number * 10,
            metadata={"number": number, "nested": {"list": [1, None]}},
        )
        article.tags.set(tags[: number % 4])
        for reply in range(number % 3):
            Comment.objects.create(text=f"text{number}.{reply}", content_object=article)
