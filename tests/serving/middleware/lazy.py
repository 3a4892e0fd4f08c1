"""Middleware whose hooks all query, in the plain way."""

from django.http import HttpResponse
from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin

from tests.testapp.models import Author


class EveryHook(MiddlewareMixin):
    def process_request(self, request):
        request.counts = [Author.objects.count()]

    def process_view(self, request, view, args, kwargs):
        request.counts.append(Author.objects.count())

    def process_template_response(self, request, response):
        request.counts.append(Author.objects.count())
        return response

    def process_exception(self, request, exception):
        return HttpResponse(f"{exception}; {Author.objects.count()} authors", status=503)

    def process_response(self, request, response):
        request.counts.append(Author.objects.count())
        response.headers["X-Counts"] = str(request.counts)
        return response


@async_only_middleware
def plain_code_in_a_coroutine(get_response):
    async def middleware(request):
        before = Author.objects.count()
        response = await get_response(request)
        response.headers["X-Before-And-After"] = f"{before}, {await Author.objects.acount()}"
        return response

    return middleware
