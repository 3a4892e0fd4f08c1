"""Files and forms that arrive."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from ..forms import BookForm


def _described(request):
    return {
        "POST": dict(request.POST.lists()),
        "files": {
            name: [type(file).__name__, file.name, file.content_type, file.size, file.read(6).hex()]
            for name, file in request.FILES.items()
        },
    }


@csrf_exempt
def upload(request):
    return JsonResponse(_described(request))


@csrf_exempt
async def async_upload(request):
    return JsonResponse(_described(request))


@csrf_exempt
def plain_form(request):
    """Validate against the database, and save."""
    form = BookForm(request.POST)
    if not form.is_valid():
        return JsonResponse(form.errors, status=422)
    return HttpResponse(f"saved {form.save().pk}")
