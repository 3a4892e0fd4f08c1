"""Views that query and write, each way that stock Django can."""

from asgiref.sync import async_to_sync, sync_to_async
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views import View

from ..models import Book, Topic, Writer
from ..recorder import note


def listing(request):
    found = Book.objects.select_related("writer").annotate(number=Count("topics")).order_by("pk")
    return JsonResponse([[b.title, b.writer.name, b.number] for b in found], safe=False)


async def async_listing(request):
    found = Book.objects.select_related("writer").prefetch_related("topics")
    listed = [[b.title, b.writer.name, [t.name for t in b.topics.all()]] async for b in found]
    return JsonResponse(listed, safe=False)


def detail(request, pk):
    return HttpResponse(get_object_or_404(Book, pk=pk).title)


async def async_detail(request, pk):
    try:
        book = await Book.objects.select_related("writer").aget(pk=pk)
    except Book.DoesNotExist:
        raise Http404("no such book") from None
    return HttpResponse(f"{book.title} by {book.writer}")


def write(request):
    book = Book.objects.create(title="new", writer_id=1)
    book.topics.set(Topic.objects.all())
    Book.objects.filter(pk=book.pk).update(pages=F("pages") + 7)
    book.refresh_from_db()
    book.topics.clear()
    gone = book.delete()
    return JsonResponse({"pages": book.pages, "gone": gone})


async def async_write(request):
    book = await Book.objects.acreate(title="new", writer_id=1)
    await book.topics.aset([topic async for topic in Topic.objects.all()])
    await Book.objects.filter(pk=book.pk).aupdate(pages=F("pages") + 7)
    await book.arefresh_from_db()
    writer, made = await Writer.objects.aget_or_create(name="third")
    book.title = "newer"
    await book.asave(update_fields=["title"])
    await book.topics.aclear()
    gone = await book.adelete()
    return JsonResponse({"pages": book.pages, "gone": gone, "writer": writer.name, "made": made})


async def async_reads(request):
    books = Book.objects.order_by("pk")
    return JsonResponse(
        {
            "count": await books.acount(),
            "exists": await books.filter(title="none").aexists(),
            "first": str(await books.afirst()),
            "last": str(await books.alast()),
            "bulk": {str(key): str(value) for key, value in (await books.ain_bulk()).items()},
            "sum": await books.aaggregate(number=Count("pk")),
            "iterated": [str(book) async for book in books.aiterator()],
        }
    )


def committed(request):
    with transaction.atomic():
        transaction.on_commit(lambda: note("committed outer"))
        Writer.objects.create(name="outer")
        with transaction.atomic():
            transaction.on_commit(lambda: note("committed inner"))
            Writer.objects.create(name="inner")
        note("before the end")
    return HttpResponse(f"{Writer.objects.count()} writers")


def rolled_back(request):
    try:
        with transaction.atomic():
            transaction.on_commit(lambda: note("never"))
            Writer.objects.create(name="lost")
            raise ValueError("back")
    except ValueError:
        note("rolled back")
    try:
        with transaction.atomic():
            Writer.objects.create(name="first writer")
    except IntegrityError:
        note("not unique")
    return HttpResponse(f"{Writer.objects.count()} writers")


def written_then_failed(request):
    """Leave a row behind unless requests are atomic."""
    Writer.objects.create(name="written")
    raise ValueError("after writing")


def in_block(request):
    transaction.on_commit(lambda: note("committed"))
    Writer.objects.create(name="in block")
    return HttpResponse(f"in a block: {connection.in_atomic_block}")


@transaction.non_atomic_requests
def outside_block(request):
    Writer.objects.create(name="outside block")
    return HttpResponse(f"in a block: {connection.in_atomic_block}")


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class OutsideBlock(View):
    def get(self, request):
        return HttpResponse(f"in a block: {connection.in_atomic_block}")


@transaction.non_atomic_requests
async def async_outside_block(request):
    return HttpResponse(f"{await Writer.objects.acount()} writers")


def wrapped(request):
    """Watch the statements of a block, as tools do."""

    def watch(execute, sql, params, many, context):
        note(f"execute: {sql} {params}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        found = Writer.objects.filter(pk=1).first()
    return HttpResponse(f"{found} {Writer.objects.count()}")


def raw(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM serving_writer WHERE id = %s", [1])
        found = cursor.fetchall()
    more = [writer.name for writer in Writer.objects.raw("SELECT * FROM serving_writer")]
    return JsonResponse([found, more], safe=False)


def broken_sql(request):
    list(Writer.objects.raw("SELECT nothing"))


async def async_broken_sql(request):
    await Writer.objects.extra(where=["nothing"]).acount()


def locked(request):
    with transaction.atomic():
        found = Writer.objects.select_for_update().get(pk=1)
        point = transaction.savepoint()
        Writer.objects.filter(pk=1).update(name="changed")
        transaction.savepoint_rollback(point)
        transaction.set_rollback(True)
    return HttpResponse(found.name)


async def async_in_thread(request):
    """Hop as one had to before there were awaitable queries."""
    names = await sync_to_async(lambda: [writer.name for writer in Writer.objects.all()])()
    made = await sync_to_async(made_in_block)()
    return JsonResponse([names, made, await Topic.objects.acount()], safe=False)


@transaction.atomic
def made_in_block():
    return Topic.objects.create(name="made in a thread").name


def asking_a_coroutine(request):
    return HttpResponse(f"{async_to_sync(Writer.objects.acount)()} writers")


def writers(request):
    return JsonResponse(
        list(Writer.objects.order_by("pk").values_list("name", flat=True)), safe=False
    )
