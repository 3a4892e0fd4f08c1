"""Views that only ours can serve: plain ORM code in coroutines, and atomic coroutines."""

import asyncio
from contextvars import ContextVar

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection, connections, transaction
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.generic import ListView

from tests.testapp.models import Article, Author
from turbo_orm.asgi import on_loop


class AuthorForm(forms.ModelForm):
    class Meta:
        model = Author
        fields = ("name", "age")


class ArticleForm(forms.ModelForm):
    class Meta:
        model = Article
        fields = ("title", "author")


async def relation(request, pk):
    article = await Article.objects.aget(pk=pk)
    return HttpResponse(f"{article.title} by {article.author.name}")


async def reverse_relations(request, pk):
    author = get_object_or_404(Author, pk=pk)
    return JsonResponse({a.title: [t.name for t in a.tags.all()] for a in author.articles.all()})


async def form(request):
    """Validate a foreign key against the database, and save."""
    bound = ArticleForm(request.POST)
    if not bound.is_valid():
        return JsonResponse(bound.errors, status=422)
    return HttpResponse(f"saved {bound.save().title}")


async def rendered(request):
    return render(request, "serving/names.html", {"objects": Author.objects.order_by("pk")})


async def rendered_later(request):
    found = Author.objects.order_by("pk")
    return TemplateResponse(request, "serving/names.html", {"objects": found})


async def written(request):
    """Mix blocks and calls of both kinds in one coroutine."""
    done = []
    with transaction.atomic():
        transaction.on_commit(lambda: done.append("committed"))
        Author.objects.create(name="plain")
        await Author.objects.acreate(name="awaited")
        try:
            with transaction.atomic():
                await Author.objects.acreate(name="lost")
                raise ValueError("back to the savepoint")
        except ValueError:
            done.append("rolled back")
    return JsonResponse(
        [*done, *Author.objects.order_by("pk").values_list("name", flat=True)], safe=False
    )


async def log_in(request):
    login(request, User.objects.get(), "django.contrib.auth.backends.ModelBackend")
    request.session["seen"] = 1
    return HttpResponse(f"welcome {request.user}")


async def account(request):
    """Use the session, the user, the permissions and the messages as synchronous views do."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    request.session["seen"] += 1
    messages.info(request, f"seen {request.session['seen']} times")
    return JsonResponse(
        [
            str(request.user),
            request.user.has_perm("testapp.add_author"),
            [str(m) for m in messages.get_messages(request)],
        ],
        safe=False,
    )


async def log_out(request):
    logout(request)
    return HttpResponse(f"goodbye {request.user}")


async def side_by_side(request):
    """Plain ORM code of the view's own, between awaited queries that run at once."""
    names = await asyncio.gather(
        *(Author.objects.aget(pk=author.pk) for author in Author.objects.all())
    )
    return JsonResponse(sorted(author.name for author in names), safe=False)


async def streamed(request):
    """Query while the response is on its way, in a coroutine."""

    async def parts():
        for author in Author.objects.order_by("pk"):
            yield f"{author.name}: {author.articles.count()}\n"

    return StreamingHttpResponse(parts())


async def streamed_from_generator(request):
    found = Author.objects.order_by("pk")
    return StreamingHttpResponse(f"{a.name}: {a.articles.count()}\n" for a in found)


class Names(View):
    async def get(self, request):
        return HttpResponse(", ".join(a.name for a in Author.objects.order_by("pk")))

    async def post(self, request):
        bound = AuthorForm(request.POST)
        return HttpResponse(bound.save().name if bound.is_valid() else "invalid")


@method_decorator(on_loop, name="dispatch")
class Listed(ListView):
    queryset = Author.objects.order_by("pk")
    template_name = "serving/names.html"
    context_object_name = "objects"
    paginate_by = 1


@on_loop
def marked(request):
    return HttpResponse(f"{Author.objects.count()} authors")


@on_loop
def asking_a_coroutine(request):
    """Ask through asgiref, as code for threads does, with a context of its own."""

    async def count():
        asked.set("by the coroutine")
        return await Author.objects.acount()

    with transaction.atomic():
        Author.objects.create(name="in the block")
        return HttpResponse(f"{async_to_sync(count)()} authors, {asked.get()}")


asked: ContextVar[str] = ContextVar("asked", default="not asked")


def unmarked(request):
    return HttpResponse(f"{Author.objects.count()} authors")


# Under ATOMIC_REQUESTS.


async def block(request):
    """Say in which databases a transaction is open, and whether it stays so after an await."""
    before = {alias: connections[alias].in_atomic_block for alias in ("default", "other")}
    await Author.objects.acreate(name="first")
    await asyncio.sleep(0)
    Author.objects.create(name="second")
    return JsonResponse([before, connection.in_atomic_block], safe=False)


async def failing(request, kind):
    await Author.objects.acreate(name="lost")
    Author.objects.using("other").create(name="lost")
    raise {"error": ValueError, "404": Http404, "denied": PermissionDenied}[kind]("after writing")


@transaction.non_atomic_requests
async def outside(request):
    await Author.objects.acreate(name="kept")
    raise ValueError(f"in a block: {connection.in_atomic_block}")


@transaction.non_atomic_requests(using="other")
async def outside_of_one(request):
    opened = {alias: connections[alias].in_atomic_block for alias in ("default", "other")}
    return JsonResponse(opened)


class OutsideInClass(View):
    @method_decorator(transaction.non_atomic_requests)
    async def dispatch(self, *args, **kwargs):
        return await super().dispatch(*args, **kwargs)

    async def get(self, request):
        return HttpResponse(f"in a block: {connection.in_atomic_block}")


class InsideInClass(View):
    async def get(self, request):
        return HttpResponse(f"in a block: {connection.in_atomic_block}")


@on_loop
def marked_block(request):
    Author.objects.create(name="lost")
    raise ValueError(f"in a block: {connection.in_atomic_block}")


async def rolled_back_by_hand(request):
    Author.objects.create(name="lost")
    transaction.set_rollback(True)
    return HttpResponse("answered all the same")


async def committed_later(request):
    """Hooks run when the view has returned, before its response is rendered."""
    transaction.on_commit(lambda: Author.objects.create(name="by the hook"))
    Author.objects.create(name="by the view")
    found = Author.objects.order_by("pk")
    return TemplateResponse(request, "serving/names.html", {"objects": found})


async def meeting(request, name):
    """Write, then wait for the other request: both transactions are open at once."""
    Author.objects.create(name=name)
    waiting.append(asyncio.get_running_loop().create_future())
    if len(waiting) == 2:
        for future in waiting:
            future.set_result(None)
    await waiting[-1]
    if name == "bad":
        raise ValueError(name)
    return HttpResponse(f"{Author.objects.count()} seen")


waiting = []

urlpatterns = [
    path("relation/<int:pk>/", relation),
    path("reverse-relations/<int:pk>/", reverse_relations),
    path("form/", form),
    path("rendered/", rendered),
    path("rendered-later/", rendered_later),
    path("written/", written),
    path("log-in/", log_in),
    path("account/", account),
    path("log-out/", log_out),
    path("side-by-side/", side_by_side),
    path("streamed/", streamed),
    path("streamed-from-generator/", streamed_from_generator),
    path("names/", Names.as_view()),
    path("listed/", Listed.as_view()),
    path("marked/", marked),
    path("unmarked/", unmarked),
    path("asking-a-coroutine/", asking_a_coroutine),
    path("block/", block),
    path("failing/<str:kind>/", failing),
    path("outside/", outside),
    path("outside-of-one/", outside_of_one),
    path("outside-in-class/", OutsideInClass.as_view()),
    path("inside-in-class/", InsideInClass.as_view()),
    path("marked-block/", marked_block),
    path("rolled-back-by-hand/", rolled_back_by_hand),
    path("committed-later/", committed_later),
    path("meeting/<str:name>/", meeting),
]
