"""The controllers, synchronous, as ninja_extra serves them."""

from django.http import HttpResponse
from ninja.pagination import LimitOffsetPagination
from ninja_extra import (
    ControllerBase,
    ModelConfig,
    ModelControllerBase,
    NinjaExtraAPI,
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

api = NinjaExtraAPI(urls_namespace="stock", app_name="stock")


@api.get("/plain", response=list[common.ArticleOut])
def plain(request):
    return Article.objects.order_by("pk")


@api.get("/me", auth=common.by_query, response=common.AuthorOut)
def me(request):
    return request.auth


@api.get("/lines", response=JSONL[common.ArticleOut])
def lines(request):
    yield from Article.objects.order_by("pk")


@api_controller("/articles")
class Articles(ControllerBase):
    @http_get("/", response=list[common.ArticleOut])
    def all(self):
        return Article.objects.order_by("pk")

    @http_get("/ordered", response=list[common.ArticleOut])
    @ordering(Ordering, ordering_fields=["title"])
    def ordered(self):
        return Article.objects.order_by("pk")

    @http_get("/searched", response=list[common.ArticleOut])
    @searching(Searching, search_fields=["title"])
    def searched(self):
        return Article.objects.order_by("pk")

    @http_get("/pages", response=PaginatedResponseSchema[common.ArticleOut])
    @paginate(PageNumberPaginationExtra, page_size=2)
    def pages(self):
        return Article.objects.order_by("pk")

    @http_get("/limits", response=NinjaPaginationResponseSchema[common.ArticleOut])
    @paginate(LimitOffsetPagination)
    def limits(self):
        return Article.objects.order_by("pk")

    @http_get("/filtered", response=PaginatedResponseSchema[common.ArticleOut])
    @paginate(PageNumberPaginationExtra, filter_schema=common.ArticleFilter, page_size=2)
    def filtered(self):
        return Article.objects.order_by("pk")

    @http_get("/both", response=int, permissions=[common.IsKnown & common.IsOld])
    def both(self):
        return 1

    @http_get("/either", response=int, permissions=[common.IsYoung | common.IsOld])
    def either(self):
        return 1

    @http_get("/neither", response=int, permissions=[~common.IsOld])
    def neither(self):
        return 1

    @http_get("/context", response=list[str], permissions=[common.IsKnown])
    def context_of_request(self):
        return [self.context.request.method, self.context.request.headers["X-Name"]]

    @http_get("/refused", response=int)
    def refused(self):
        raise common.Refused

    @http_get("/missing", response=common.ArticleOut)
    def missing(self):
        return self.get_object_or_exception(Article, pk=99, error_message="none")

    @http_get("/headers", response=int)
    def headers(self, response: HttpResponse):
        response["X-Count"] = str(Article.objects.count())
        return 1

    @http_get("/throttled", response=int, throttle=common.OnceAMinute())
    def throttled(self):
        return 1

    @http_get("/{int:pk}", response=common.ArticleOut, permissions=[common.IsKnown])
    def one(self, pk: int):
        return self.get_object_or_exception(Article, pk=pk)

    @http_post("/", response={201: common.ArticleOut})
    def create(self, data: common.ArticleIn):
        return 201, Article.objects.create(**data.dict())

    @http_delete("/{int:pk}", response={204: None})
    def delete(self, pk: int):
        self.get_object_or_none(Article, pk=pk).delete()
        return 204, None


@api_controller("/tags")
class Tags(ModelControllerBase):
    model_config = ModelConfig(
        model=Tag,
        create_schema=common.TagIn,
        update_schema=common.TagIn,
        patch_schema=common.TagIn,
        retrieve_schema=common.TagOut,
    )


api.register_controllers(Articles, Tags)
