"""The same endpoints, asynchronous."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja.errors import HttpError
from ninja.responses import Status
from ninja.security import django_auth

from ninja import JSONL, SSE, Query
from tests.ninja import common, schemas
from tests.testapp.models import Article, Author, Tag
from turbo_orm_ninja import TurboNinjaAPI, handle_conflicts, handle_missing
from turbo_orm_ninja.filters import ordering, search
from turbo_orm_ninja.pagination import (
    CursorPagination,
    LimitOffsetPagination,
    PageNumberPagination,
    paginate,
)

api = TurboNinjaAPI(urls_namespace="ours", title="articles")
handle_missing(handle_conflicts(api))
common.add_handlers(api)


@api.get("/list", response=list[schemas.ArticleOut])
async def listed(request):
    return Article.objects.all()


@api.get("/deep", response=list[schemas.ArticleDeep])
async def deep(request):
    return Article.objects.filter(author__age__gte=1).order_by("-title")


@api.get("/model", response=list[schemas.ArticleModel])
async def model(request):
    return Article.objects.all()


@api.get("/nested", response=list[schemas.NestedModel])
async def nested(request):
    return Article.objects.all()


@api.get("/aliased", response=list[schemas.Aliased])
async def aliased(request):
    return Article.objects.all()


@api.get("/by-alias", response=list[schemas.Aliased], by_alias=True)
async def by_alias(request):
    return Article.objects.all()


@api.get("/computed", response=list[schemas.Computed])
async def computed(request):
    return Article.objects.all()


@api.get("/resolved", response=list[schemas.Resolved])
async def resolved(request):
    return Article.objects.all()


@api.get("/declared", response=list[schemas.Declared])
async def declared(request):
    return Article.objects.all()


@api.get("/authors", response=list[schemas.AuthorTree])
async def authors(request):
    return await Author.objects.all().alist()


@api.get("/manager", response=list[schemas.TagModel])
async def manager(request):
    return Tag.objects


@api.get("/related", response=list[schemas.Title])
async def related(request):
    return (await Author.objects.aget(name="author1")).articles


@api.get("/values", response=list[schemas.Title])
async def values(request):
    return Article.objects.values("title")


@api.get("/page", response=schemas.Page)
async def page(request):
    articles = Article.objects.all()
    return {
        "total": await articles.acount(),
        "rows": articles[:2],
        "first": await articles.afirst(),
    }


@api.get("/one/{pk}", response=schemas.ArticleDeep)
async def one(request, pk: int):
    return get_object_or_404(Article, pk=pk)


@api.get("/get/{pk}", response=schemas.ArticleOut, exclude_none=True)
async def get(request, pk: int):
    return await Article.objects.aget(pk=pk)


@api.get("/first", response={200: schemas.ArticleOut, 204: None})
async def first(request, title: str = ""):
    found = await Article.objects.filter(title=title).afirst()
    return Status(204, None) if found is None else Status(200, found)


@api.post("/articles", response={201: schemas.ArticleModel})
async def create(request, data: schemas.ArticleIn):
    article = await Article.objects.acreate(title=data.title, author_id=data.author_id)
    await article.tags.aset(
        [(await Tag.objects.aget_or_create(name=name))[0] for name in data.tags]
    )
    return Status(201, article)


@api.put("/articles/{pk}", response=schemas.ArticleModel)
async def update(request, pk: int, data: schemas.ArticleIn):
    article = await Article.objects.aget(pk=pk)
    article.title = data.title
    await article.asave()
    return article


@api.delete("/articles/{pk}", response={204: None})
async def delete(request, pk: int):
    await (await Article.objects.aget(pk=pk)).adelete()
    return Status(204, None)


@api.post("/tags", response={201: schemas.TagModel})
async def tag(request, name: str):
    return Status(201, await Tag.objects.acreate(name=name))


@api.get("/limit", response=list[schemas.ArticleOut])
@paginate(LimitOffsetPagination)
async def limit(request):
    return Article.objects.all()


@api.get("/numbered", response=list[schemas.ArticleOut])
@paginate(PageNumberPagination, page_size=2)
async def numbered(request):
    return Article.objects.all()


@api.get("/cursor", response=list[schemas.Title])
@paginate(CursorPagination, ordering=("-views", "pk"), page_size=2)
async def cursor(request):
    return Article.objects.all()


@api.get("/limit-list", response=list[schemas.Title])
@paginate
async def limit_list(request):
    return await Article.objects.all().alist()


@api.get("/filtered", response=list[schemas.Title])
async def filtered(request, filters: Query[common.ArticleFilter]):
    return filters.filter(Article.objects.all())


@api.get("/sorted", response=list[schemas.Title])
async def sorted_(
    request,
    order: Query[ordering("title", "views", default="-views")],
    words: Query[search("title", "author__name")],
):
    return words.filter(order.sort(Article.objects.all()))


@api.get("/session", auth=django_auth, response=str)
async def session(request):
    return request.auth.username


@api.get("/header", auth=common.Header(), response=schemas.AuthorOut)
async def header(request):
    return request.auth


@api.get("/query", auth=common.Query(), response=schemas.AuthorOut)
async def query(request):
    return request.auth


@api.post("/cookie", auth=common.Cookie(), response=schemas.AuthorOut)
async def cookie(request):
    return request.auth


@api.get("/bearer", auth=[common.Header(), common.Bearer()], response=schemas.AuthorOut)
async def bearer(request):
    return request.auth


@api.get("/basic", auth=common.Basic(), response=schemas.AuthorOut)
async def basic(request):
    return request.auth


@api.get("/callable", auth=common.by_address, response=schemas.AuthorOut)
async def callable_(request):
    return request.auth


@api.get("/failing", auth=common.failing, response=schemas.AuthorOut)
async def failing(request):
    return request.auth


@api.get("/throttled", throttle=common.Throttle("ours"), response=list[schemas.Title])
async def throttled(request):
    return Article.objects.all()[:1]


@api.get("/headers", response=list[schemas.Title])
async def headers(request, response: HttpResponse):
    response["X-Count"] = str(await Article.objects.acount())
    response.set_cookie("seen", "yes")
    return Article.objects.all()[:1]


@api.get("/refused")
async def refused(request):
    raise common.Refused((await Article.objects.aget(pk=1)).title)


@api.get("/teapot")
async def teapot(request):
    raise HttpError(418, "short and stout")


@api.get("/broken", response=list[schemas.Title])
async def broken(request):
    raise ZeroDivisionError


@api.get("/invalid", response=list[schemas.Title])
async def invalid(request):
    return Tag.objects.all()


@api.get("/plain")
async def plain(request):
    return HttpResponse("plain", content_type="text/plain", status=203)


@api.get("/free")
async def free(request):
    return {"titles": [article.title async for article in Article.objects.all()]}


@api.get("/union", response={200: list[schemas.AuthorOut | schemas.TagOut]})
async def union(request):
    return [await Tag.objects.aget(name="tag0"), await Author.objects.aget(pk=1)]


@api.get("/lines", response=JSONL[schemas.ArticleOut])
async def lines(request):
    async for article in Article.objects.all():
        yield article


@api.get("/events", response=SSE[schemas.Title])
async def events(request):
    async for article in Article.objects.all():
        yield article


@api.get("/method", response=list[schemas.Title])
async def method_get(request):
    return Article.objects.all()


@api.post("/method", response=int)
async def method_post(request, factor: int):
    return await Article.objects.acount() * factor
