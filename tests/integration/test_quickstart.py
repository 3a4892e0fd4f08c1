"""The README's example, as behaviour."""

from tests.testapp.models import Article, Author
from turbo_orm import atomic, on_commit


async def test_quickstart_runs_as_written():
    author = await Author.objects.acreate(name="Ada")
    for number in range(12):
        await Article.objects.acreate(title=f"t{number}", author=author)
    seen = []

    articles = (
        await Article.objects.filter(is_published=True)
        .select_related("author")
        .order_by("-id")[:10]
        .alist()
    )
    article = await Article.objects.aget(pk=articles[-1].pk)
    total = await Article.objects.filter(is_published=True).acount()
    titles = [a.title async for a in Article.objects.filter(author__name="Ada")]
    async with atomic():
        new = await Article.objects.acreate(title="Hello", author=author)
        await on_commit(lambda: seen.append(new.pk))
        assert seen == []

    assert [a.author.name for a in articles] == ["Ada"] * 10
    assert article.title == "t2"
    assert total == 12
    assert titles == [f"t{number}" for number in range(12)]
    assert seen == [new.pk]
