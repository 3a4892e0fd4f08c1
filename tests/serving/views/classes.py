"""Class-based views: Django's generic ones, and coroutines."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse, JsonResponse
from django.urls import reverse_lazy
from django.views import View
from django.views.generic import (
    CreateView,
    DeleteView,
    DetailView,
    FormView,
    ListView,
    RedirectView,
    TemplateView,
    UpdateView,
)

from ..forms import FeedbackForm
from ..models import Book, Writer
from ..recorder import note


class Methods(View):
    def get(self, request, *args, **kwargs):
        return HttpResponse("get")

    def post(self, request, *args, **kwargs):
        return HttpResponse("post")


class AsyncMethods(View):
    async def get(self, request, *args, **kwargs):
        return HttpResponse("async get")

    async def put(self, request, *args, **kwargs):
        return HttpResponse(f"async put {request.body!r}")

    async def delete(self, request, *args, **kwargs):
        return HttpResponse(status=204)


class AsyncWriters(View):
    async def get(self, request, pk):
        writer = await Writer.objects.aget(pk=pk)
        return JsonResponse({"name": writer.name, "books": await writer.books.acount()})


class Page(TemplateView):
    template_name = "serving/value.html"
    extra_context = {"value": "of a template view"}


class Books(ListView):
    model = Book
    template_name = "serving/books.html"
    context_object_name = "books"
    paginate_by = 2


class OneBook(DetailView):
    model = Book
    template_name = "serving/book.html"


class NewBook(CreateView):
    model = Book
    fields = ("title", "pages", "writer", "topics")
    template_name = "serving/form.html"


class ChangedBook(UpdateView):
    model = Book
    fields = ("title", "pages")
    template_name = "serving/form.html"


class GoneBook(DeleteView):
    model = Book
    template_name = "serving/form.html"
    success_url = reverse_lazy("books")


class Feedback(FormView):
    form_class = FeedbackForm
    template_name = "serving/form.html"
    success_url = "/echo/"

    def form_valid(self, form):
        note(f"feedback: {form.cleaned_data['text']}")
        return super().form_valid(form)


class Elsewhere(RedirectView):
    pattern_name = "book"
    query_string = True


class Private(LoginRequiredMixin, TemplateView):
    template_name = "serving/value.html"
    extra_context = {"value": "private"}


class Callable:
    """A view may be any object that can be called."""

    def __call__(self, request):
        return HttpResponse("called")


class AsyncCallable:
    """Django does not see that it returns a coroutine, and says so."""

    async def __call__(self, request):
        return HttpResponse("never seen")
