"""Types, queries and mutations over every kind of relation; see ``loading`` for ``api``."""

from typing import Any

import strawberry_django
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Prefetch, Q, QuerySet
from strawberry.types import Info
from strawberry_django.mutations.types import FullCleanOptions
from strawberry_django.pagination import OffsetPaginated
from strawberry_django.permissions import HasPerm, HasSourcePerm, IsAuthenticated, IsStaff
from strawberry_django.relay import DjangoCursorConnection, DjangoListConnection

import strawberry
from strawberry import auto, relay
from tests.testapp import models

# Two schema directives of one name collide in older versions: none is made.
api: Any = globals()["api"]


@strawberry_django.filter_type(models.Tag, lookups=True)
class TagFilter:
    name: auto


@strawberry_django.filter_type(models.Author, lookups=True)
class AuthorFilter:
    id: auto
    name: auto
    age: auto


@strawberry_django.filter_type(models.Article, lookups=True)
class ArticleFilter:
    title: auto
    views: auto
    is_published: auto
    author: AuthorFilter | None
    tags: TagFilter | None

    @strawberry_django.filter_field
    def words(self, queryset: QuerySet[Any], value: str, prefix: str) -> Any:
        return queryset, Q(**{f"{prefix}title__icontains": value})


@strawberry_django.order_type(models.Author)
class AuthorOrder:
    name: auto
    age: auto


@strawberry_django.order_type(models.Article)
class ArticleOrder:
    title: auto
    views: auto
    author: AuthorOrder | None


@api.type(models.Profile)
class ProfileType:
    bio: auto


@api.type(models.Tag, filters=TagFilter, pagination=True)
class TagType:
    id: auto
    name: auto
    articles: list["ArticleType"]


@api.type(models.Author, filters=AuthorFilter, ordering=AuthorOrder, pagination=True)
class AuthorType:
    id: auto
    name: auto
    age: auto
    profile: ProfileType | None
    articles: list["ArticleType"]
    edited: list["ArticleType"]

    @api.field(annotate={"n_articles": Count("articles")})
    def article_count(self) -> int:
        return self.n_articles

    @api.field
    def first_title(self) -> str | None:
        first = self.articles.order_by("title").first()
        return first and first.title

    @api.field(only=["name"])
    def shout(self) -> str:
        return self.name.upper()


@api.type(models.Article, filters=ArticleFilter, ordering=ArticleOrder, pagination=True)
class ArticleType:
    id: auto
    title: auto
    views: auto
    is_published: auto
    metadata: auto
    author: AuthorType
    author_id: auto
    editor: AuthorType | None
    tags: list[TagType]
    one_tag: TagType | None = api.field(field_name="tags")
    paged_tags: OffsetPaginated[TagType] = api.offset_paginated(field_name="tags")
    secret: str = api.field(
        field_name="title", extensions=[HasSourcePerm("testapp.view_article", use_directives=False)]
    )

    @api.field(
        prefetch_related=[
            lambda info: Prefetch(
                "tags", queryset=models.Tag.objects.order_by("-name"), to_attr="reversed_tags"
            )
        ]
    )
    def tag_names(self) -> list[str]:
        tags = getattr(self, "reversed_tags", None)
        if tags is None:
            tags = self.tags.order_by("-name")
        return [tag.name for tag in tags]

    @api.field
    def author_name(self) -> str:
        return self.author.name


@api.type(models.Author, ordering=AuthorOrder, name="AuthorNode")
class AuthorNode(relay.Node):
    name: auto
    age: auto
    articles: DjangoListConnection["ArticleNode"] = api.connection()


@api.type(models.Article, filters=ArticleFilter, ordering=ArticleOrder, name="ArticleNode")
class ArticleNode(relay.Node):
    title: auto
    views: auto
    author: AuthorNode
    tags: list[TagType]


@api.type(models.Article, name="Published")
class PublishedType:
    title: auto
    author: AuthorType

    @classmethod
    def get_queryset(cls, queryset: QuerySet[Any], info: Info, **kwargs: Any) -> QuerySet[Any]:
        # A query of its own, as a check of a tenant would be.
        models.Tag.objects.exists()
        return queryset.filter(is_published=True)


@strawberry.type
class Summary:
    label: str
    article: ArticleType | None
    articles: list[ArticleType]


@strawberry.type
class Query:
    articles: list[ArticleType] = api.field()
    article: ArticleType = api.field()
    article_or_none: ArticleType | None = api.field()
    authors: list[AuthorType] = api.field()
    author: AuthorType = api.field()
    tags: list[TagType] = api.field()
    published: list[PublishedType] = api.field()
    paginated: OffsetPaginated[ArticleType] = api.offset_paginated()
    node: relay.Node = api.node()
    nodes: list[relay.Node] = api.node()
    author_node: AuthorNode | None = api.node()
    article_connection: DjangoListConnection[ArticleNode] = api.connection()
    article_cursors: DjangoCursorConnection[ArticleNode] = api.connection()
    author_connection: DjangoListConnection[AuthorNode] = api.connection()
    members: list[AuthorType] = api.field(extensions=[IsAuthenticated(use_directives=False)])
    staff: list[AuthorType] = api.field(extensions=[IsStaff(use_directives=False)])
    permitted: list[AuthorType] = api.field(
        extensions=[HasPerm("testapp.view_author", use_directives=False)]
    )
    strict: list[AuthorType] = api.field(
        extensions=[HasPerm("testapp.add_author", fail_silently=False, use_directives=False)]
    )

    @strawberry.field
    def me(self, info: Info) -> str:
        return str(info.context.request.user)

    @api.field
    def custom(self, age: int = 0) -> list[AuthorType]:
        return models.Author.objects.filter(age__gte=age).order_by("-age")

    @api.field
    def custom_one(self) -> AuthorType | None:
        return models.Author.objects.filter(name="author1").first()

    @api.field
    def nothing(self) -> AuthorType | None:
        return None

    @api.field
    def as_list(self) -> list[AuthorType]:
        return list(models.Author.objects.order_by("name"))

    @strawberry.field
    def plain(self) -> list[AuthorType]:
        return models.Author.objects.order_by("name")

    @strawberry.field
    def plain_manager(self) -> list[TagType]:
        return models.Tag.objects

    @strawberry.field
    def generated(self) -> list[AuthorType]:
        return (author for author in models.Author.objects.order_by("name").iterator())

    @strawberry.field
    def raw(self) -> list[AuthorType]:
        return models.Author.objects.raw("SELECT * FROM testapp_author ORDER BY id")

    @strawberry.field
    def deferred(self) -> list[AuthorType]:
        return models.Author.objects.only("id").order_by("id")

    @strawberry.field
    def summary(self) -> Summary:
        return Summary(
            label="all",
            article=models.Article.objects.first(),
            articles=models.Article.objects.all(),
        )

    @api.connection(DjangoListConnection[ArticleNode])
    def custom_connection(self, minimum: int) -> list[ArticleNode]:
        return models.Article.objects.filter(views__gte=minimum)

    @strawberry.field
    def broken(self) -> int:
        raise ValueError(f"{models.Author.objects.count()} authors")

    @strawberry.field
    def denied(self) -> int | None:
        raise PermissionDenied("no")


@api.input(models.Profile)
class ProfileInput:
    bio: auto


@api.input(models.Author)
class AuthorInput:
    name: auto
    age: auto


@api.input(models.Tag)
class TagInput:
    name: auto


@api.input(models.Article)
class ArticleInput:
    title: auto
    views: auto
    author: auto
    tags: auto


@api.partial(models.Article)
class ArticlePartial:
    id: auto
    title: auto
    views: auto
    tags: auto


@api.input(models.Article)
class NestedArticleInput:
    title: auto
    author: AuthorInput
    tags: strawberry_django.ListInput[TagInput] | None


@api.partial(models.Author)
class AuthorPartial:
    id: auto
    name: auto
    age: auto


@strawberry.type
class Mutation:
    create_author: AuthorType = api.mutations.create(AuthorInput)
    create_authors: list[AuthorType] = api.mutations.create(AuthorInput)
    create_article: ArticleType = api.mutations.create(ArticleInput, handle_django_errors=True)
    create_tag: TagType = api.mutations.create(TagInput, handle_django_errors=True)
    create_tag_raising: TagType = api.mutations.create(TagInput)
    create_unchecked: TagType = api.mutations.create(TagInput, full_clean=False)
    create_loosely: TagType = api.mutations.create(
        TagInput, full_clean=FullCleanOptions(exclude=["name"])
    )
    create_nested: ArticleType = api.mutations.create(NestedArticleInput)
    update_article: ArticleType = api.mutations.update(ArticlePartial)
    update_author: AuthorType = api.mutations.update(AuthorPartial, handle_django_errors=True)
    update_authors: list[AuthorType] = api.mutations.update(AuthorPartial, filters=AuthorFilter)
    delete_author: AuthorType = api.mutations.delete(AuthorPartial)
    delete_tags: list[TagType] = api.mutations.delete(filters=TagFilter)

    @api.mutation(handle_django_errors=True)
    def rename(self, key: strawberry.ID, name: str) -> AuthorType:
        author = models.Author.objects.get(pk=key)
        author.name = name
        if name == "refused":
            author.save()
            raise ValidationError({"name": "is refused"})
        author.save()
        return author

    @api.input_mutation(extensions=[IsAuthenticated(use_directives=False)])
    def add_tag(self, name: str, article: strawberry.ID) -> TagType:
        with transaction.atomic():
            tag = models.Tag.objects.create(name=name)
            models.Article.objects.get(pk=article).tags.add(tag)
        return tag
