"""The endpoints as one writes them for stock Ninja: synchronous."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja.errors import HttpError
from ninja.pagination import CursorPagination, LimitOffsetPagination, PageNumberPagination, paginate
from ninja.responses import Status
from ninja.security import django_auth

from ninja import JSONL, SSE, NinjaAPI, Query
from tests.ninja import common, schemas
from tests.testapp.models import Article, Author, Tag
from turbo_orm_ninja import handle_conflicts, handle_missing
from turbo_orm_ninja.filters import ordering, search

api = NinjaAPI(urls_namespace="stock", title="articles")
handle_missing(handle_conflicts(api))
common.add_handlers(api)


@api.get("/list", response=list[schemas.ArticleOut])
def listed(request):
    return Article.objects.all()


@api.get("/deep", response=list[schemas.ArticleDeep])
def deep(request):
    return Article.objects.filter(author__age__gte=1).order_by("-title")


@api.get("/model", response=list[schemas.ArticleModel])
def model(request):
    return Article.objects.all()


@api.get("/nested", response=list[schemas.NestedModel])
def nested(request):
    return Article.objects.all()


@api.get("/aliased", response=list[schemas.Aliased])
def aliased(request):
    return Article.objects.all()


@api.get("/by-alias", response=list[schemas.Aliased], by_alias=True)
def by_alias(request):
    return Article.objects.all()


@api.get("/computed", response=list[schemas.Computed])
def computed(request):
    return Article.objects.all()


@api.get("/resolved", response=list[schemas.Resolved])
def resolved(request):
    return Article.objects.all()


@api.get("/declared", response=list[schemas.Declared])
def declared(request):
    return Article.objects.all()


@api.get("/authors", response=list[schemas.AuthorTree])
def authors(request):
    return list(Author.objects.all())


@api.get("/manager", response=list[schemas.TagModel])
def manager(request):
    return Tag.objects


@api.get("/related", response=list[schemas.Title])
def related(request):
    return Author.objects.get(name="author1").articles


@api.get("/values", response=list[schemas.Title])
def values(request):
    return Article.objects.values("title")


@api.get("/page", response=schemas.Page)
def page(request):
    articles = Article.objects.all()
    return {"total": articles.count(), "rows": articles[:2], "first": articles.first()}


@api.get("/one/{pk}", response=schemas.ArticleDeep)
def one(request, pk: int):
    return get_object_or_404(Article, pk=pk)


@api.get("/get/{pk}", response=schemas.ArticleOut, exclude_none=True)
def get(request, pk: int):
    return Article.objects.get(pk=pk)


@api.get("/first", response={200: schemas.ArticleOut, 204: None})
def first(request, title: str = ""):
    found = Article.objects.filter(title=title).first()
    return Status(204, None) if found is None else Status(200, found)


@api.post("/articles", response={201: schemas.ArticleModel})
def create(request, data: schemas.ArticleIn):
    article = Article.objects.create(title=data.title, author_id=data.author_id)
    article.tags.set([Tag.objects.get_or_create(name=name)[0] for name in data.tags])
    return Status(201, article)


@api.put("/articles/{pk}", response=schemas.ArticleModel)
def update(request, pk: int, data: schemas.ArticleIn):
    article = Article.objects.get(pk=pk)
    article.title = data.title
    article.save()
    return article


@api.delete("/articles/{pk}", response={204: None})
def delete(request, pk: int):
    Article.objects.get(pk=pk).delete()
    return Status(204, None)


@api.post("/tags", response={201: schemas.TagModel})
def tag(request, name: str):
    return Status(201, Tag.objects.create(name=name))


@api.get("/limit", response=list[schemas.ArticleOut])
@paginate(LimitOffsetPagination)
def limit(request):
    return Article.objects.all()


@api.get("/numbered", response=list[schemas.ArticleOut])
@paginate(PageNumberPagination, page_size=2)
def numbered(request):
    return Article.objects.all()


@api.get("/cursor", response=list[schemas.Title])
@paginate(CursorPagination, ordering=("-views", "pk"), page_size=2)
def cursor(request):
    return Article.objects.all()


@api.get("/limit-list", response=list[schemas.Title])
@paginate
def limit_list(request):
    return list(Article.objects.all())


@api.get("/filtered", response=list[schemas.Title])
def filtered(request, filters: Query[common.ArticleFilter]):
    return filters.filter(Article.objects.all())


@api.get("/sorted", response=list[schemas.Title])
def sorted_(
    request,
    order: Query[ordering("title", "views", default="-views")],
    words: Query[search("title", "author__name")],
):
    return words.filter(order.sort(Article.objects.all()))


@api.get("/session", auth=django_auth, response=str)
def session(request):
    return request.auth.username


@api.get("/header", auth=common.Header(), response=schemas.AuthorOut)
def header(request):
    return request.auth


@api.get("/query", auth=common.Query(), response=schemas.AuthorOut)
def query(request):
    return request.auth


@api.post("/cookie", auth=common.Cookie(), response=schemas.AuthorOut)
def cookie(request):
    return request.auth


@api.get("/bearer", auth=[common.Header(), common.Bearer()], response=schemas.AuthorOut)
def bearer(request):
    return request.auth


@api.get("/basic", auth=common.Basic(), response=schemas.AuthorOut)
def basic(request):
    return request.auth


@api.get("/callable", auth=common.by_address, response=schemas.AuthorOut)
def callable_(request):
    return request.auth


@api.get("/failing", auth=common.failing, response=schemas.AuthorOut)
def failing(request):
    return request.auth


@api.get("/throttled", throttle=common.Throttle("stock"), response=list[schemas.Title])
def throttled(request):
    return Article.objects.all()[:1]


@api.get("/headers", response=list[schemas.Title])
def headers(request, response: HttpResponse):
    response["X-Count"] = str(Article.objects.count())
    response.set_cookie("seen", "yes")
    return Article.objects.all()[:1]


@api.get("/refused")
def refused(request):
    raise common.Refused(Article.objects.get(pk=1).title)


@api.get("/teapot")
def teapot(request):
    raise HttpError(418, "short and stout")


@api.get("/broken", response=list[schemas.Title])
def broken(request):
    raise ZeroDivisionError


@api.get("/invalid", response=list[schemas.Title])
def invalid(request):
    return Tag.objects.all()


@api.get("/plain")
def plain(request):
    return HttpResponse("plain", content_type="text/plain", status=203)


@api.get("/free")
def free(request):
    return {"titles": [article.title for article in Article.objects.all()]}


@api.get("/union", response={200: list[schemas.AuthorOut | schemas.TagOut]})
def union(request):
    return [Tag.objects.get(name="tag0"), Author.objects.get(pk=1)]


@api.get("/lines", response=JSONL[schemas.ArticleOut])
def lines(request):
    yield from Article.objects.all()


@api.get("/events", response=SSE[schemas.Title])
def events(request):
    yield from Article.objects.all()


@api.get("/method", response=list[schemas.Title])
def method_get(request):
    return Article.objects.all()


@api.post("/method", response=int)
def method_post(request, factor: int):
    return Article.objects.count() * factor
