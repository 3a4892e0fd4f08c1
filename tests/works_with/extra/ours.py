"""The same controllers, asynchronous, as the adapter serves them."""

from django.http import HttpResponse
from ninja.pagination import LimitOffsetPagination
from ninja_extra import (
    ControllerBase,
    ModelConfig,
    ModelControllerBase,
    api_controller,
    http_delete,
    http_get,
    http_post,
)
from ninja_extra.ordering import Ordering, ordering
from ninja_extra.pagination import PageNumberPaginationExtra, PaginatedResponseSchema, paginate
from ninja_extra.schemas import NinjaPaginationResponseSchema
from ninja_extra.searching import Searching, searching

from ninja import JSONL
from tests.testapp.models import Article, Tag

from . import common

api = common.OurAPI(urls_namespace="ours", app_name="ours")


@api.get("/plain", response=list[common.ArticleOut])
async def plain(request):
    return Article.objects.order_by("pk")


@api.get("/me", auth=common.by_query, response=common.AuthorOut)
async def me(request):
    return request.auth


@api.get("/lines", response=JSONL[common.ArticleOut])
async def lines(request):
    async for article in Article.objects.order_by("pk"):
        yield article


@api_controller("/articles")
class Articles(ControllerBase):
    @http_get("/", response=list[common.ArticleOut])
    async def all(self):
        return Article.objects.order_by("pk")

    @http_get("/ordered", response=list[common.ArticleOut])
    @ordering(Ordering, ordering_fields=["title"])
    async def ordered(self):
        return Article.objects.order_by("pk")

    @http_get("/searched", response=list[common.ArticleOut])
    @searching(Searching, search_fields=["title"])
    async def searched(self):
        return Article.objects.order_by("pk")

    @http_get("/pages", response=PaginatedResponseSchema[common.ArticleOut])
    @paginate(PageNumberPaginationExtra, page_size=2)
    async def pages(self):
        return Article.objects.order_by("pk")

    @http_get("/limits", response=NinjaPaginationResponseSchema[common.ArticleOut])
    @paginate(LimitOffsetPagination)
    async def limits(self):
        return Article.objects.order_by("pk")

    @http_get("/filtered", response=PaginatedResponseSchema[common.ArticleOut])
    @paginate(PageNumberPaginationExtra, filter_schema=common.ArticleFilter, page_size=2)
    async def filtered(self):
        return Article.objects.order_by("pk")

    @http_get("/both", response=int, permissions=[common.IsKnown & common.IsOld])
    async def both(self):
        return 1

    @http_get("/either", response=int, permissions=[common.IsYoung | common.IsOld])
    async def either(self):
        return 1

    @http_get("/neither", response=int, permissions=[~common.IsOld])
    async def neither(self):
        return 1

    @http_get("/context", response=list[str], permissions=[common.IsKnown])
    async def context_of_request(self):
        return [self.context.request.method, self.context.request.headers["X-Name"]]

    @http_get("/refused", response=int)
    async def refused(self):
        raise common.Refused

    @http_get("/missing", response=common.ArticleOut)
    async def missing(self):
        return await self.aget_object_or_exception(Article, pk=99, error_message="none")

    @http_get("/headers", response=int)
    async def headers(self, response: HttpResponse):
        response["X-Count"] = str(await Article.objects.acount())
        return 1

    @http_get("/throttled", response=int, throttle=common.OnceAMinute())
    async def throttled(self):
        return 1

    @http_get("/{int:pk}", response=common.ArticleOut, permissions=[common.IsKnown])
    async def one(self, pk: int):
        return await self.aget_object_or_exception(Article, pk=pk)

    @http_post("/", response={201: common.ArticleOut})
    async def create(self, data: common.ArticleIn):
        return 201, await Article.objects.acreate(**data.dict())

    @http_delete("/{int:pk}", response={204: None})
    async def delete(self, pk: int):
        await (await self.aget_object_or_none(Article, pk=pk)).adelete()
        return 204, None


@api_controller("/tags")
class Tags(ModelControllerBase):
    model_config = ModelConfig(
        model=Tag,
        async_routes=True,
        create_schema=common.TagIn,
        update_schema=common.TagIn,
        patch_schema=common.TagIn,
        retrieve_schema=common.TagOut,
    )


api.register_controllers(Articles, Tags)
