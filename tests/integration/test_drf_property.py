"""Random serializers and views: optimised, they answer as stock DRF's, with no more queries.

``TURBO_DRF_EXAMPLES=5000`` looks deeper than `make all` has time for.
"""

import os
import random
import re

import pytest
from django.urls import path
from rest_framework import pagination, relations
from rest_framework.renderers import AdminRenderer, JSONRenderer
from rest_framework.response import Response

from tests.drf.judged import OPTIMISED, STOCK, answer, request
from tests.drf.rows import in_order
from tests.fetching import fill
from tests.testapp.models import Article, Author, Comment, Profile, Tag
from tests.thorough import cases
from turbo_orm_drf import reads

pytestmark = pytest.mark.rolled_back

EXAMPLES = int(os.environ.get("TURBO_DRF_EXAMPLES") or cases(25, 500))
# So many rounds are within the time of one test.
BATCH = 25
# Of each model: columns, and relations with the model beyond and whether they lead to many.
COLUMNS = {
    Article: ["id", "title", "views", "metadata"],
    Author: ["id", "name", "age"],
    Comment: ["id", "text"],
    Profile: ["id", "bio"],
    Tag: ["id", "name"],
}
LABELS = {Article: "title", Author: "name", Comment: "text", Profile: "bio", Tag: "name"}
RELATIONS = {
    Article: [
        *(("author", Author, False), ("editor", Author, False)),
        *(("tags", Tag, True), ("comments", Comment, True)),
    ],
    Author: [("profile", Profile, False), ("articles", Article, True), ("edited", Article, True)],
    Comment: [],
    Profile: [("author", Author, False)],
    Tag: [("articles", Article, True)],
}
SOURCES = {
    Article: [
        "author.name",
        "author.profile.bio",
        "editor.name",
        "tags.count",
        "author.articles.count",
    ],
    Author: ["profile.bio", "articles.first.title", "edited.count"],
    Comment: [],
    Profile: ["author.name"],
    Tag: ["articles.count"],
}


class Made:
    """Makes a view at random; with the same seed, the same on other bases."""

    def __init__(self, seed, flavour):
        self.random = random.Random(seed)
        self.flavour = flavour
        self.base = flavour.serializers

    def chance(self, probability):
        return self.random.random() < probability

    def serializer(self, model, depth=0):
        """Return a serializer class of a model's objects."""
        names = self.random.sample(COLUMNS[model], self.random.randint(1, len(COLUMNS[model])))
        declared = {}
        for name, beyond, many in RELATIONS[model]:
            if self.chance(0.5 / (depth + 1)):
                names.append(name)
                made = self.relation(beyond, many, depth)
                declared.update({} if made is None else {name: made})
        for source in SOURCES[model]:
            if self.chance(0.15):
                names.append(f"of_{source.replace('.', '_')}")
                declared[names[-1]] = self.base.CharField(source=source, read_only=True)
        attributes = {**declared, **self.methods(model, names)}
        if "told" in names:
            attributes["told"] = self.base.SerializerMethodField()
        options = {"model": model, "fields": names}
        attributes["Meta"] = type("Meta", (), options)
        return type(f"S{depth}", (self.base.ModelSerializer,), attributes)

    def relation(self, beyond, many, depth):
        """Return a field for a relation, None for that of DRF."""
        kind = self.random.choice(["derived", "pk", "slug", "string", "nested", "nested", "link"])
        keywords = {"many": True} if many else {}
        if kind == "nested" and depth < 3:
            return self.serializer(beyond, depth + 1)(read_only=True, **keywords)
        if kind == "pk":
            return relations.PrimaryKeyRelatedField(read_only=True, **keywords)
        if kind == "slug":
            label = LABELS[beyond]
            return relations.SlugRelatedField(slug_field=label, read_only=True, **keywords)
        if kind == "string":
            return relations.StringRelatedField(**keywords)
        if kind == "link":
            lookup = self.random.choice(["pk", LABELS[beyond]])
            field = type("Own", (relations.HyperlinkedRelatedField,), self.urls(lookup))
            return field(view_name="x", lookup_field=lookup, read_only=True, **keywords)
        return None

    def urls(self, lookup):
        if self.chance(0.5):
            return {}
        return {"get_url": lambda field, obj, *args: f"/{getattr(obj, lookup)}"}

    def methods(self, model, names):
        """Return methods that a project might write."""
        found = {}
        if self.chance(0.2):
            label, column = LABELS[model], names[0]
            names.append("told")

            def get_told(serializer, row):
                return str((getattr(row, label), getattr(row, column)))

            found["get_told"] = reads(label, column)(get_told) if self.chance(0.5) else get_told
        if self.chance(0.15):
            every = self.random.randint(2, 3)

            def to_representation(serializer, row):
                if row.pk % every == 0:
                    return {"hidden": True}
                return super(type(serializer), serializer).to_representation(row)

            found["to_representation"] = to_representation
        if self.chance(0.15):

            def get_fields(serializer):
                fields = super(type(serializer), serializer).get_fields()
                asked = serializer.context["request"].query_params.get("without")
                return {name: made for name, made in fields.items() if name != asked}

            found["get_fields"] = get_fields
        return found

    def view(self):
        """Return a view of articles or authors."""
        model = self.random.choice([Article, Author])
        rows = model.objects.order_by("pk")
        for change in (self.select, self.prefetch, self.only):
            if self.chance(0.15):
                rows = change(rows, model)
        kind = self.serializer(model)
        other = self.serializer(model) if self.chance(0.3) else kind
        named = {"queryset": rows, "serializer_class": kind, "pagination_class": self.paginator()}
        if other is not kind:
            by_action = self.chance(0.5)

            def get_serializer_class(view):
                if by_action:
                    return kind if view.action == "list" else other
                return kind if "pk" not in view.kwargs else other

            named["get_serializer_class"] = get_serializer_class
        renderers = [JSONRenderer] if self.chance(0.95) else [AdminRenderer]
        named["renderer_classes"] = renderers
        bases = (*self.flavour.mixins, self.flavour.viewsets.ModelViewSet)
        return type("V", bases, named)

    def select(self, rows, model):
        return rows.select_related(*[name for name, _, many in RELATIONS[model] if not many][:1])

    def prefetch(self, rows, model):
        return rows.prefetch_related(self.random.choice(RELATIONS[model])[0])

    def only(self, rows, model):
        return rows.only(*self.random.sample(COLUMNS[model], 2))

    def paginator(self):
        """Return a paginator class, or None."""
        chosen = self.random.choice(
            ["none", "none", "pages", "slices", "cursor", "reading", "less"]
        )
        if chosen == "none":
            return None
        if chosen == "slices":
            return type("P", (pagination.LimitOffsetPagination,), {"default_limit": 3})
        if chosen == "cursor":
            return type("P", (pagination.CursorPagination,), {"page_size": 2, "ordering": "-pk"})
        made = {"page_size": 3}
        if chosen == "reading":
            made["get_paginated_response"] = lambda paginator, data: Response(
                [data, [str(row) for row in paginator.page]]
            )
        if chosen == "less":

            def paginate_queryset(paginator, *args, **kwargs):
                return super(type(paginator), paginator).paginate_queryset(*args, **kwargs)[1:]

            made["paginate_queryset"] = paginate_queryset
        return type("P", (pagination.PageNumberPagination,), made)


SECRET = re.compile(
    r'( object at |csrfToken": "|csrfmiddlewaretoken" value="|name="csrf-token" content=")\w+'
)


def shown(answer):
    """Return what a client sees, but for what is made by chance."""
    status, body = answer.seen
    return status, in_order(answer.data) if body.startswith(("[", "{")) else SECRET.sub("", body)


URLS = (path("x/<pk>/", lambda request, **kwargs: None, name="x"),)


@pytest.mark.parametrize("batch", range(max(1, EXAMPLES // BATCH)))
async def test_random_serializers_are_answered_as_by_stock_drf_with_no_more_queries(batch):
    await fill(5)
    authors = [author async for author in Author.objects.order_by("pk")]
    await Article.objects.filter(title="title1").aupdate(author=authors[0], editor=authors[2])
    await Profile.objects.filter(author=authors[3]).adelete()
    keys = {Author: [author.pk for author in authors]}
    keys[Article] = [article.pk async for article in Article.objects.order_by("pk")]
    saved, statuses = 0, set()
    for _ in range(BATCH):
        seed = random.randrange(2**32)
        first = {}
        for flavour in (STOCK, OPTIMISED):
            view = Made(seed, flavour).view()
            first[flavour] = [
                await answer(view.as_view(actions), asked, urls=URLS, **kwargs)
                for actions, asked, kwargs in asking(view, seed, keys)
            ]
        for theirs, ours in zip(*first.values(), strict=True):
            assert (seed, shown(ours)) == (seed, shown(theirs))
            assert (seed, ours.rows) == (seed, theirs.rows)
            # Before a field fails, what follows it may have been fetched.
            fails = theirs.seen[0] == 500
            assert fails or len(ours.statements) <= len(theirs.statements), (seed, ours.statements)
            saved += len(theirs.statements) - len(ours.statements)
            statuses.add(theirs.seen[0])

    # Else nothing was optimised, or nothing answered.
    assert saved > 0
    assert 200 in statuses


def asking(view, seed, keys):
    rows = {"pk": keys[view.queryset.model][seed % 2]}
    return [
        ({"get": "list"}, request(query="?without=tags"), {}),
        ({"get": "retrieve"}, request(), rows),
        ({"patch": "partial_update"}, request("patch", data={"name": "n", "title": "t"}), rows),
        ({"delete": "destroy"}, request("delete"), rows),
    ]
