"""Middleware that asks the database before and after the view."""

from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin

from ..models import Writer


def synchronous(get_response):
    def middleware(request):
        before = Writer.objects.count()
        response = get_response(request)
        response.headers["X-Writers"] = f"{before}, {Writer.objects.count()}"
        return response

    return middleware


@async_only_middleware
def asynchronous(get_response):
    async def middleware(request):
        first = await Writer.objects.order_by("pk").afirst()
        response = await get_response(request)
        response.headers["X-First-Writer"] = str(first)
        return response

    return middleware


class Mixin(MiddlewareMixin):
    def process_request(self, request):
        request.writer_names = list(Writer.objects.order_by("pk").values_list("name", flat=True))

    def process_view(self, request, view, args, kwargs):
        request.user_is_known = request.user.is_authenticated

    def process_response(self, request, response):
        response.headers["X-Writer-Names"] = " and ".join(request.writer_names)
        return response
