"""The first queries that one writes: what the quickstart of the README does, and a little more."""

from __future__ import annotations

from turbo_orm import atomic, on_commit

from ..models import Article, Author
from .report import Step, expect


async def newest() -> str:
    """Fetch ten articles and their authors in one query."""
    articles = (
        await Article.objects.filter(is_published=True)
        .select_related("author")
        .order_by("-id")[:10]
        .alist()
    )
    expect("articles", len(articles), 10)
    expect("order", [a.pk for a in articles], sorted((a.pk for a in articles), reverse=True))
    return f"10 articles, the first by {articles[0].author.name}"


async def one() -> str:
    """Fetch one article by its primary key."""
    article = await Article.objects.aget(pk=1)
    expect("primary key", article.pk, 1)
    return article.title


async def count() -> str:
    """Count what is published."""
    total = await Article.objects.filter(is_published=True).acount()
    drafts = await Article.objects.filter(is_published=False).acount()
    expect("published and drafts", total + drafts, await Article.objects.acount())
    return f"{total} published, {drafts} drafts"


async def loop() -> str:
    """Loop over a queryset: one query, filled on the first round."""
    seen = 0
    async for a in Article.objects.filter(author__name="Ada"):
        seen += 1
        expect("slug", bool(a.slug), True)
    expect("Ada's articles", seen, await Article.objects.filter(author__name="Ada").acount())
    return f"{seen} articles by Ada"


async def transaction() -> str:
    """Create in a transaction; the callback runs when it has been committed, not before."""
    notified: list[int] = []
    notify = notified.append
    author = await Author.objects.aget(name="Ada")
    async with atomic():
        new = await Article.objects.acreate(title="Hello", author=author)
        await on_commit(lambda: notify(new.pk))
        expect("callbacks before the commit", notified, [])
    expect("callbacks after the commit", notified, [new.pk])
    return f"article {new.pk} created, then its callback ran"


STEPS = [
    Step("alist(): ten newest, with authors", newest),
    Step("aget(): one by primary key", one),
    Step("acount(): published and not", count),
    Step("async for: one author's articles", loop),
    Step("atomic() and on_commit()", transaction),
]
