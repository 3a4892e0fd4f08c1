"""Querysets that fetch along what the serializer reads."""

import pytest
from django.contrib.auth.models import User
from django.db.models import Count
from django.test import override_settings
from django.urls import path
from rest_framework import serializers as drfs
from rest_framework.permissions import BasePermission

from tests.drf.rows import in_order
from tests.ninja.helpers import counted, fill
from tests.testapp.models import Article, Author, Measure, Plain, Profile, Reading, Tag
from turbo_orm_drf import generics, reads, serializers, viewsets
from turbo_orm_drf.mixins import AutoOptimizeMixin
from turbo_orm_drf.pagination import CursorPagination, PageNumberPagination
from turbo_orm_drf.shapes import paths_of
from turbo_orm_drf.test import AsyncAPIClient

pytestmark = pytest.mark.rolled_back


@pytest.fixture(autouse=True)
def host():
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        yield


def model_serializer(model, *fields, **attributes):
    meta = type("Meta", (), {"model": model, "fields": list(fields)})
    return type("S", (serializers.ModelSerializer,), {"Meta": meta, **attributes})


TagName = model_serializer(Tag, "name")
AuthorName = model_serializer(Author, "name")
WithBio = model_serializer(Author, "name", "profile", profile=model_serializer(Profile, "bio")())
Deep = model_serializer(
    Article, "title", "author", "tags", author=WithBio(), tags=TagName(many=True)
)


async def listed(serializer, queryset=None, method="get", query="", **attributes):
    """Ask a list of articles; return the rows, and the statements that they took."""
    rows = Article.objects.order_by("pk") if queryset is None else queryset
    named = {"serializer_class": serializer, "queryset": rows, **attributes}
    kind = type("Listed", (AutoOptimizeMixin, viewsets.ModelViewSet), named)
    urls = (
        path("x/", kind.as_view({"get": "list"})),
        path("x/<int:pk>/", kind.as_view({"get": "retrieve", "patch": "partial_update"})),
    )
    with override_settings(ROOT_URLCONF=urls), counted() as statements:
        response = await AsyncAPIClient().get(f"/x/{query}")
    assert response.status_code == 200, response.data
    return in_order(response.json()), statements


async def unoptimised(serializer, queryset=None, query="", **attributes):
    attributes["optimizes_queryset"] = False
    return await listed(serializer, queryset, query=query, **attributes)


@pytest.mark.parametrize("rows", [1, 3, 8])
async def test_statements_are_as_many_however_many_rows(rows):
    await fill(0, rows)

    found, statements = await listed(Deep)

    assert len(found) == rows
    assert found[0]["author"] == {"name": "author0", "profile": {"bio": "bio0"}}
    assert len(statements) == 2


def field(name, made):
    return model_serializer(Article, "title", name, **{name: made})


class Titles(drfs.ListSerializer):
    def to_representation(self, data):
        return [article.title for article in data.all()]


SHAPES = {
    "a column": (model_serializer(Article, "title"), 1),
    "a key": (model_serializer(Article, "author", "editor"), 1),
    "keys of many": (model_serializer(Article, "tags"), 2),
    "a slug": (field("author", drfs.SlugRelatedField(slug_field="name", read_only=True)), 1),
    "a slug beyond": (
        field("author", drfs.SlugRelatedField(slug_field="profile__bio", read_only=True)),
        1,
    ),
    "slugs": (
        field("tags", drfs.SlugRelatedField(slug_field="name", many=True, read_only=True)),
        2,
    ),
    "a string": (field("author", drfs.StringRelatedField()), 1),
    "strings": (field("tags", drfs.StringRelatedField(many=True)), 2),
    "a dotted source": (field("bio", drfs.CharField(source="author.profile.bio")), 1),
    "a nested source": (
        field("life", model_serializer(Profile, "bio")(source="author.profile")),
        1,
    ),
    "the object itself": (field("same", model_serializer(Article, "views")(source="*")), 1),
    "three levels": (Deep, 2),
    "reverse": (
        field("author", model_serializer(Author, "name", "articles")()),
        2,
    ),
    "a key through another": (
        field("profile", drfs.PrimaryKeyRelatedField(source="author.profile", read_only=True)),
        1,
    ),
    "a field of the model": (
        field("views", drfs.ModelField(model_field=Article._meta.get_field("views"))),
        1,
    ),
}


@pytest.mark.parametrize("name", SHAPES)
async def test_what_a_serializer_reads_is_fetched_and_nothing_else(name):
    serializer, count = SHAPES[name]
    await fill(0, 4)
    expected, _ = await unoptimised(serializer)

    found, statements = await listed(serializer)

    assert found == expected
    assert len(statements) == count
    assert '"metadata"' not in statements[0]


async def test_hyperlinks_read_what_they_are_made_of():
    class Linked(serializers.HyperlinkedModelSerializer):
        class Meta:
            model = Article
            fields = ["url", "author", "tags"]
            extra_kwargs = {
                "url": {"view_name": "article"},
                "author": {"view_name": "author", "lookup_field": "name"},
                "tags": {"view_name": "tag"},
            }

    await fill(0, 3)
    named = {"serializer_class": Linked, "queryset": Article.objects.order_by("pk")}
    kind = type("Links", (AutoOptimizeMixin, generics.ListAPIView), named)
    urls = (
        path("x/", kind.as_view()),
        path("articles/<int:pk>", kind.as_view(), name="article"),
        path("authors/<str:name>", kind.as_view(), name="author"),
        path("tags/<int:pk>", kind.as_view(), name="tag"),
    )
    with override_settings(ROOT_URLCONF=urls), counted() as statements:
        response = await AsyncAPIClient().get("/x/")

    assert response.json()[0]["author"] == "http://testserver/authors/author0"
    assert len(response.json()[0]["tags"]) == 3
    assert len(statements) == 2
    assert '"metadata"' not in statements[0]


async def test_a_method_may_read_anything_and_the_object_is_whole():
    def get_words(self, article):
        return [article.metadata, article.created.year]

    free = model_serializer(
        Article, "words", words=serializers.SerializerMethodField(), get_words=get_words
    )
    await fill(0, 3)
    expected, _ = await unoptimised(free)

    found, statements = await listed(free)

    assert found == expected
    assert (len(statements), '"metadata"' in statements[0]) == (1, True)


async def test_a_method_may_say_what_it_reads():
    @reads("author.name", "tags.name")
    def get_words(self, article):
        return [article.author.name, *(tag.name for tag in article.tags.all())]

    said = model_serializer(
        Article, "words", words=serializers.SerializerMethodField(), get_words=get_words
    )
    await fill(0, 3)
    found, statements = await listed(said)

    assert found[0] == {"words": ["author0", "tag0", "tag1", "tag2"]}
    assert (len(statements), '"title"' in statements[0]) == (2, False)


async def test_a_method_that_is_a_coroutine_function_may_say_it_too():
    @reads("author.name")
    async def get_words(self, article):
        return article.author.name

    said = model_serializer(
        Article, "words", words=serializers.SerializerMethodField(), get_words=get_words
    )
    await fill(0, 3)
    found, statements = await listed(said)

    assert (found[2], len(statements)) == ({"words": "author2"}, 1)
    assert '"title"' not in statements[0]


async def test_a_representation_of_the_projects_own_may_read_anything():
    def to_representation(self, instance):
        return {"views": instance.views, "metadata": instance.metadata}

    own = model_serializer(Article, "title", to_representation=to_representation)
    await fill(0, 2)
    _, statements = await listed(own)

    assert len(statements) == 1
    assert '"views"' in statements[0]


async def test_what_the_queryset_asks_for_itself_stays():
    await fill(0, 3)
    rows = Article.objects.order_by("pk").select_related("editor").only("title", "editor__name")

    expected, _ = await unoptimised(Deep, rows)
    found, statements = await listed(Deep, rows)

    assert found == expected
    assert 'LEFT OUTER JOIN "testapp_author"' in statements[0]
    assert '"metadata"' not in statements[0]


async def test_fields_that_a_request_decides_on_are_looked_at_each_time():
    class Chosen(Deep):
        def get_fields(self):
            chosen = self.context["request"].query_params["fields"].split(",")
            return {name: made for name, made in super().get_fields().items() if name in chosen}

    await fill(0, 3)
    _, plain = await listed(Chosen, query="?fields=title")
    _, tags = await listed(Chosen, query="?fields=tags")
    _, author = await listed(Chosen, query="?fields=author")

    # DRF makes the fields when there are rows: relations are fetched then, and not joined.
    assert [len(plain), len(tags), len(author)] == [1, 2, 3]


async def test_pages_are_optimised_and_a_cursor_keeps_what_it_is_made_of():
    await fill(0, 4)
    pages = type("Pages", (PageNumberPagination,), {"page_size": 2})
    cursor = type("Cursor", (CursorPagination,), {"page_size": 2, "ordering": ("-views", "id")})

    found, statements = await listed(Deep, pagination_class=pages)
    by_cursor, cursored = await listed(Deep, pagination_class=cursor)

    assert (found["count"], len(found["results"]), len(statements)) == (4, 2, 3)
    assert (len(by_cursor["results"]), len(cursored)) == (2, 2)
    assert '"views"' in cursored[0]


async def test_a_single_object_is_whole_for_permissions_and_for_saving():
    seen = []

    class Looking(BasePermission):
        def has_object_permission(self, request, view, obj):
            seen.append(obj.get_deferred_fields())
            return True

    await fill(0, 1)
    pk = (await Article.objects.aget()).pk
    found, statements = await listed(Deep, query=f"{pk}/", permission_classes=[Looking])

    assert (found["title"], seen) == ("title0", [set()])
    assert len(statements) == 2


async def test_what_was_changed_is_answered_and_saved():
    await fill(0, 1)
    article = await Article.objects.aget()
    plain = model_serializer(Article, "title", "tags")
    named = {"serializer_class": plain, "queryset": Article.objects.all()}
    kind = type("Changed", (AutoOptimizeMixin, generics.RetrieveUpdateAPIView), named)
    urls = (path("x/<int:pk>/", kind.as_view()),)
    with override_settings(ROOT_URLCONF=urls):
        response = await AsyncAPIClient().patch(
            f"/x/{article.pk}/", {"title": "new", "tags": []}, format="json"
        )

    await article.arefresh_from_db()
    assert response.json() == {"title": "new", "tags": []}
    assert (article.title, await article.tags.acount()) == ("new", 0)


async def test_annotations_filters_and_other_tables_work_as_ever():
    await fill(0, 3)
    measure = await Measure.objects.acreate(key="0" * 32)
    await Reading.objects.abulk_create([Reading(measure=measure, value=n) for n in range(3)])
    authors = Author.objects.annotate(written=Count("articles")).order_by("pk")
    counting = model_serializer(Author, "name", "written", written=drfs.IntegerField())
    by_key = model_serializer(Measure, "key", "readings")

    written, _ = await listed(counting, authors)
    readings, statements = await listed(by_key, Measure.objects.all())

    assert [row["written"] for row in written] == [1, 1, 1]
    assert (len(readings[0]["readings"]), len(statements)) == (3, 2)


async def test_stock_querysets_and_serializers_are_optimised_too():
    class Named(drfs.ModelSerializer):
        children = drfs.StringRelatedField(many=True)

        class Meta:
            model = Plain
            fields = ["name", "parent", "children"]

    parent = await Plain.objects.acreate(name="p")
    await Plain.objects.acreate(name="c", parent=parent)

    found, statements = await listed(Named, Plain.objects.order_by("pk"))

    assert found[1] == {"name": "c", "parent": parent.pk, "children": []}
    assert len(statements) == 2


async def test_a_view_may_add_what_no_serializer_knows_of():
    class More(AutoOptimizeMixin, generics.ListAPIView):
        queryset = Article.objects.order_by("pk")
        serializer_class = model_serializer(Article, "title")

        def paths_to_fetch(self, queryset):
            return super().paths_to_fetch(queryset) | {"author.name"}

    await fill(0, 2)
    with override_settings(ROOT_URLCONF=(path("x/", More.as_view()),)), counted() as statements:
        await AsyncAPIClient().get("/x/")

    assert '"testapp_author"."name"' in statements[0]


async def test_a_view_without_a_serializer_is_left_alone():
    class Bare(AutoOptimizeMixin, generics.GenericAPIView):
        queryset = Article.objects.order_by("pk")

        def get(self, request):
            from rest_framework.response import Response

            return Response([row.title for row in self.filter_queryset(self.get_queryset())])

    await fill(0, 2)
    with override_settings(ROOT_URLCONF=(path("x/", Bare.as_view()),)):
        assert (await AsyncAPIClient().get("/x/")).json() == ["title0", "title1"]


def test_fields_that_are_only_written_are_not_read():
    written = model_serializer(
        User, "username", "password", password=drfs.CharField(write_only=True)
    )

    assert paths_of(written()) == {"username"}
    assert paths_of(written(many=True)) == {"username"}
    assert paths_of(field("own", type("Own", (drfs.Field,), {"get_attribute": len})())()) == {
        *("title", "*")
    }
    assert paths_of(model_serializer(Author, "articles", articles=Titles(child=TagName()))()) == {
        "*"
    }
