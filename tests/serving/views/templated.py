"""Responses that are rendered after the view has returned, and those rendered in it."""

from django.shortcuts import render
from django.template.response import SimpleTemplateResponse, TemplateResponse

from ..models import Book
from ..recorder import note


def books(request):
    """Render a queryset that nobody has evaluated yet."""
    return TemplateResponse(request, "serving/books.html", {"books": Book.objects.all()})


def books_with_writers(request):
    found = Book.objects.select_related("writer").prefetch_related("topics")
    return render(request, "serving/books.html", {"books": found})


async def async_books(request):
    found = [book async for book in Book.objects.select_related("writer")]
    return TemplateResponse(request, "serving/value.html", {"value": found})


def with_callback(request):
    response = SimpleTemplateResponse("serving/value.html", {"value": "rendered later"})
    response.add_post_render_callback(_rendered)
    return response


async def async_with_callback(request):
    response = SimpleTemplateResponse("serving/value.html", {"value": "rendered later"})
    response.add_post_render_callback(_rendered)
    return response


def _rendered(response):
    note(f"post-render callback: {len(response.content)}")
    response.headers["X-Rendered"] = "yes"


def already_rendered(request):
    return TemplateResponse(request, "serving/value.html", {"value": "rendered now"}).render()


def context(request):
    return TemplateResponse(request, "serving/context.html", {"value": 1})
