"""What is left of one's own querysets and managers at the end of a chain."""

from __future__ import annotations

from django.db.models import Count
from typing_extensions import assert_type

from articles.models import Article, ArticleQuerySet, Author
from turbo_orm import AsyncManager, AsyncQuerySet

from .models import Book, BookQuerySet, Parcel, Shelf, Shop


async def from_queryset() -> None:
    assert_type(Article.objects.published(), ArticleQuerySet)
    assert_type(Article.objects.filter(pk=1).published(), ArticleQuerySet)
    assert_type(Article.objects.order_by("-id").with_relations()[:10], ArticleQuerySet)
    assert_type(await Article.objects.published().alist(), list[Article])
    assert_type(await Article.objects.alist(), list[Article])
    assert_type(await Article.objects.aget(pk=1), Article)
    assert_type(await Article.objects.acount(), int)
    assert_type(await Article.objects.adelete(), tuple[int, dict[str, int]])
    assert_type(await Article.objects.araw("select 1"), list[Article])
    assert_type([article async for article in Article.objects.published()], list[Article])
    slugs = Article.objects.published().values_list("slug", flat=True)
    assert_type(await slugs.alist(), list[str])
    assert_type(await Article.objects.values_list("slug", "pk").alist(), list[tuple[str, int]])
    rows = await Article.objects.published().values("slug").alist()
    assert_type(rows[0]["slug"], str)
    tagged = Article.objects.annotate(tagged=Count("tags")).filter(tagged__gt=1)
    assert_type(tagged.published(), ArticleQuerySet)
    assert_type(await tagged.alist(), list[Article])


async def generic() -> None:
    assert_type(await Parcel.objects.heavy().alist(), list[Parcel])
    annotated = Parcel.objects.annotate(packed=Count("books")).order_by("-packed").heavy()
    parcels = await annotated.alist()
    assert_type(parcels[0].packed, int)
    assert_type(await annotated.values_list("weight", flat=True).alist(), list[int])


async def as_manager() -> None:
    assert_type(Book.objects.cheap(), BookQuerySet)
    assert_type(Book.objects.filter(pk=1).cheap().order_by("pk"), BookQuerySet)
    assert_type(await Book.objects.cheap().alist(), list[Book])
    assert_type(await Book.objects.alist(), list[Book])
    assert_type(await Book.objects.acheapest(), Book)
    assert_type(await Book.objects.exclude(pk=1).acheapest(), Book)
    assert_type(await Book.objects.adelete(), tuple[int, dict[str, int]])
    assert_type(await Book.everything.values_list("price", flat=True).alist(), list[int])


async def own_manager() -> None:
    assert_type(Shelf.objects.all(), AsyncQuerySet[Shelf])
    assert_type(await Shelf.objects.alist(), list[Shelf])
    assert_type(await Shelf.objects.alabels(), list[str])
    assert_type(Shop.objects, AsyncManager[Shop])


async def related(author: Author, article: Article, shop: Shop, book: Book) -> None:
    assert_type(await author.articles.alist(), list[Article])
    assert_type(author.articles.published(), ArticleQuerySet)
    assert_type(await author.articles.filter(pk=1).published().alist(), list[Article])
    assert_type(await author.articles.acreate(title="Sea"), Article)
    assert_type([tag.name async for tag in article.tags.all()], list[str])
    assert_type(await article.tags.values_list("name", flat=True).alist(), list[str])
    assert_type(await shop.books.cheap().acheapest(), Book)
    assert_type(await book.similar.cheap().alist(), list[Book])
