"""A tour of Django's ORM, awaited: single objects, relations, streams, JSON, aggregates."""

from __future__ import annotations

from django.db.models import Avg, Count, Max, Prefetch, Q

from turbo_orm import portal, run_sync

from ..forms import ArticleForm
from ..models import Article, Author, Comment, Tag
from .report import Step, expect


async def crud() -> str:
    """Create, read, update and delete one article."""
    author = await Author.objects.aget(name="Grace")
    article = await Article.objects.acreate(title="Compiler found in attic", author=author)
    article.title = "Compiler found in cellar"
    await article.asave(update_fields=["title"])
    changed = await Article.objects.filter(pk=article.pk).aupdate(is_published=False)
    expect("rows updated", changed, 1)
    await article.arefresh_from_db()
    expect("after the update", (article.title[-6:], article.is_published), ("cellar", False))
    deleted, _ = await article.adelete()
    expect("rows deleted", deleted, 1)
    expect("still there", await Article.objects.filter(title=article.title).aexists(), False)
    return "created, changed twice, deleted"


async def bulk() -> str:
    """Write many rows at once, then change and delete them."""
    tags = await Tag.objects.abulk_create([Tag(name=f"bulk {n}") for n in range(100)])
    for tag in tags:
        tag.name = tag.name.upper()
    expect("updated", await Tag.objects.abulk_update(tags, ["name"]), 100)
    _, created = await Tag.objects.aget_or_create(name="BULK 7")
    expect("created anew", created, False)
    deleted, _ = await Tag.objects.filter(name__startswith="BULK ").adelete()
    expect("deleted", deleted, 100)
    return "100 rows written, renamed and deleted"


async def prefetch() -> str:
    """Fetch articles with author, tags and comments: four queries for any number of rows."""
    comments = Prefetch("comments", Comment.objects.order_by("-id"))
    articles = (
        await Article.objects.with_relations()
        .filter(comments__isnull=False)
        .distinct()
        .prefetch_related(comments)[:25]
        .alist()
    )
    # None of these lines queries: all was fetched above.
    tags = {tag.name for article in articles for tag in article.tags.all()}
    names = {article.author.name for article in articles}
    found = sum(len(article.comments.all()) for article in articles)
    expect("articles", len(articles), 25)
    expect("comments", found >= len(articles), True)
    return f"25 articles, {len(names)} authors, {len(tags)} tags, {found} comments"


async def related_managers() -> str:
    """Write through related managers: foreign key, many-to-many and generic."""
    author = await Author.objects.aget(name="Alan")
    article = await author.articles.acreate(title="Machine halts")
    science, sea = await Tag.objects.filter(name__in=["science", "sea"]).alist()
    await article.tags.aadd(science, sea)
    await article.tags.aremove(sea)
    await article.comments.acreate(author_name="Reader", text="Does it?")
    expect("tags", [tag.name async for tag in article.tags.all()], ["science"])
    expect("articles with that comment", await article.comments.acount(), 1)
    comment_key = (await article.comments.aget()).pk
    await article.adelete()
    gone = not await Comment.objects.filter(pk=comment_key).aexists()
    expect("comment deleted with its article", gone, True)
    return "tags set, comment written, all deleted in cascade"


async def lazy() -> str:
    """Reach related objects that were not fetched: with afetch(), or plainly in a portal."""
    article = await Article.objects.aget(pk=1)
    await article.afetch("author")
    other = await Article.objects.aget(pk=2)

    async def plain() -> str:
        return other.author.name

    return f"{article.author.name} by afetch(), {await portal(plain())} in a portal"


async def stream() -> str:
    """Read every article through a server-side cursor, a few hundred at a time."""
    seen = words = 0
    async for article in Article.objects.prefetch_related("tags").aiterator(chunk_size=500):
        seen += 1
        words += article.metadata.get("words", 0)
    expect("articles streamed", seen, await Article.objects.acount())
    return f"{seen} articles, {words:,} words"


async def json() -> str:
    """Filter on the inside of a JSON column, and check against Python's own answer."""
    long_reads = Article.objects.filter(metadata__desk="science", metadata__words__gte=1500)
    counted = await long_reads.acount()
    rows = await Article.objects.values_list("metadata", flat=True).alist()
    by_hand = sum(row.get("desk") == "science" and row["words"] >= 1500 for row in rows)
    expect("long reads", counted, by_hand)
    checked = await Article.objects.filter(metadata__sources__0__checked=True).acount()
    return f"{counted} long reads on science, {checked} with a source checked"


async def aggregates() -> str:
    """Let the database count, per author and over all."""
    published = Count("articles", filter=Q(articles__is_published=True))
    authors = await Author.objects.annotate(published=published).order_by("-published").alist()
    total = await Article.objects.filter(is_published=True).acount()
    expect("sum over authors", sum(author.published for author in authors), total)
    overall = await Article.objects.aaggregate(newest=Max("id"), tags=Count("tags"), mean=Avg("id"))
    expect("largest key", overall["newest"] >= total, True)
    return f"{authors[0].name} leads with {authors[0].published} of {total}"


async def form() -> str:
    """Run synchronous code as it is: Django's own form validates against the database."""
    tags = await Tag.objects.values_list("pk", flat=True).alist()
    good = ArticleForm({"title": "Form", "author": 1, "tags": tags})
    bad = ArticleForm({"title": "", "author": 0})
    expect("good form", await run_sync(good.is_valid), True)
    expect("bad form", await run_sync(bad.is_valid), False)
    expect("its errors", sorted(bad.errors), ["author", "title"])
    return f"one valid, one with errors in {' and '.join(sorted(bad.errors))}"


STEPS = [
    Step("Create, read, update, delete", crud),
    Step("Bulk operations", bulk),
    Step("select_related and prefetch_related", prefetch),
    Step("Related managers, cascade", related_managers),
    Step("Lazy relations: afetch(), portal()", lazy),
    Step("aiterator(): stream everything", stream),
    Step("JSON field query", json),
    Step("annotate and aggregate", aggregates),
    Step("run_sync(): a ModelForm", form),
]
