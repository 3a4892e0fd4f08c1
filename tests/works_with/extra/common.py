"""What the controllers of both kinds have in common, and what is asked of them."""

from typing import Any

from ninja_extra import NinjaExtraAPI, exceptions
from ninja_extra.permissions import AsyncBasePermission, BasePermission
from ninja_extra.throttling import AnonRateThrottle

from ninja import Field, FilterSchema, ModelSchema, Schema
from tests.testapp.models import Article, Author
from turbo_orm_ninja import TurboNinjaAPI, reads


class AuthorOut(Schema):
    name: str
    bio: str = Field("", alias="profile.bio")


class ArticleOut(ModelSchema):
    author: AuthorOut
    tag_names: list[str]

    class Meta:
        model = Article
        fields = ["id", "title", "views"]

    @staticmethod
    @reads("tags.name")
    def resolve_tag_names(obj: Any) -> list[str]:
        return sorted(tag.name for tag in obj.tags.all())


class ArticleIn(Schema):
    title: str = Field(min_length=3)
    author_id: int


class TagIn(Schema):
    name: str


class TagOut(TagIn):
    id: int


class ArticleFilter(FilterSchema):
    title: str | None = None


class IsKnown(BasePermission):
    message = "Say who you are."

    def has_permission(self, request: Any, controller: Any) -> bool:
        return Author.objects.filter(name=request.headers.get("X-Name", "")).exists()

    def has_object_permission(self, request: Any, controller: Any, obj: Any) -> bool:
        return obj.author.name == request.headers["X-Name"]


class IsOld(AsyncBasePermission):
    """Awaited where it can be."""

    async def has_permission_async(self, request: Any, controller: Any) -> bool:
        name = request.headers.get("X-Name", "")
        return await Author.objects.filter(name=name, age__gte=2).aexists()


class IsYoung(BasePermission):
    def has_permission(self, request: Any, controller: Any) -> bool:
        name = request.headers.get("X-Name", "")
        return Author.objects.filter(name=name, age__lt=2).exists()


class OnceAMinute(AnonRateThrottle):
    rate = "1/min"
    scope = "extra"


class Refused(exceptions.APIException):
    status_code = 418
    default_detail = "short and stout"


class OurAPI(TurboNinjaAPI, NinjaExtraAPI):
    """As a project writes it."""


def by_query(request: Any) -> Any:
    return Author.objects.filter(name=request.GET.get("who")).first()


ADA = {"headers": {"X-Name": "author1"}}
BOB = {"headers": {"X-Name": "author3"}}
# Each asked as it stands here: how, where, and what is sent along.
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "plain": ("get", "/plain", {}),
    "plain, authenticated": ("get", "/me?who=author1", {}),
    "plain, not authenticated": ("get", "/me?who=nobody", {}),
    "plain, a stream": ("get", "/lines", {}),
    "list": ("get", "/articles/", {}),
    "list, ordered": ("get", "/articles/ordered?ordering=-title", {}),
    "list, searched": ("get", "/articles/searched?search=title1", {}),
    "page": ("get", "/articles/pages?page=2&page_size=2", {}),
    "page that is not there": ("get", "/articles/pages?page=9", {}),
    "page that is no number": ("get", "/articles/pages?page=x", {}),
    "page that is too far": ("get", f"/articles/pages?page={10**30}", {}),
    "limit and offset": ("get", "/articles/limits?limit=2&offset=1", {}),
    "filtered page": ("get", "/articles/filtered?title=title2", {}),
    "one": ("get", "/articles/2", ADA),
    "one of another's": ("get", "/articles/2", BOB),
    "one that is missing": ("get", "/articles/99", ADA),
    "one, by nobody": ("get", "/articles/2", {}),
    "created": ("post", "/articles/", {"json": {"title": "long", "author_id": 1}}),
    "created, invalid": ("post", "/articles/", {"json": {"title": "x"}}),
    "deleted": ("delete", "/articles/5", {}),
    "permissions, and": ("get", "/articles/both", BOB),
    "permissions, and, refused": ("get", "/articles/both", ADA),
    "permissions, or": ("get", "/articles/either", ADA),
    "permissions, or, refused": ("get", "/articles/either", {}),
    "permissions, not": ("get", "/articles/neither", ADA),
    "permissions, not, refused": ("get", "/articles/neither", BOB),
    "context": ("get", "/articles/context", ADA),
    "an error of the project's": ("get", "/articles/refused", {}),
    "a missing row": ("get", "/articles/missing", {}),
    "headers": ("get", "/articles/headers", {}),
    "not yet throttled": ("get", "/articles/throttled", {}),
    "throttled": ("get", "/articles/throttled", {}),
    "model, list": ("get", "/tags/", {}),
    "model, one": ("get", "/tags/2", {}),
    "model, missing": ("get", "/tags/99", {}),
    "model, created": ("post", "/tags/", {"json": {"name": "fresh"}}),
    "model, changed": ("put", "/tags/1", {"json": {"name": "other"}}),
    "model, deleted": ("delete", "/tags/3", {}),
}
