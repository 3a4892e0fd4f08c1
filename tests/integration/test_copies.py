"""`copy.deepcopy` of querysets and of objects with prefetched relations, as in Django."""

import copy

import pytest
from django.db.models import QuerySet

from tests.testapp.models import Article, Author
from turbo_orm import run_sync

pytestmark = pytest.mark.rolled_back


@pytest.fixture
async def author():
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.abulk_create(Article(title=f"{n}", author=author) for n in range(3))
    return author


async def test_the_queryset_of_a_related_manager_is_copied_with_its_filter(author):
    other = await Author.objects.acreate(name="Grace")
    await Article.objects.acreate(title="of another", author=other)

    copied = copy.deepcopy(author.articles.all())

    assert sorted([article.title for article in await copied.alist()]) == ["0", "1", "2"]


async def test_a_chain_is_copied_and_goes_on(author):
    copied = copy.deepcopy(Article.objects.filter(title__in=["0", "1"]))

    found = await copied.exclude(title="0").alist()
    assert [article.title for article in found] == ["1"]


async def test_an_object_is_copied_with_querysets_that_can_be_filtered_on(author):
    (found,) = await Author.objects.prefetch_related("articles").alist()
    copied = copy.deepcopy(found)
    of_django = await run_sync(lambda: copy.deepcopy(_prefetched_by_django(author.pk)))

    for one in (copied, of_django):
        prefetched = one._prefetched_objects_cache["articles"]
        # Django's copy of a queryset is without its rows.
        assert prefetched._result_cache is None
        titles = await run_sync(lambda rows: sorted(row.title for row in rows), prefetched)
        assert titles == ["0", "1", "2"]
        rows = await run_sync(lambda rows: [*rows.filter(title="1")], prefetched)
        assert [row.title for row in rows] == ["1"]


def _prefetched_by_django(pk):
    return QuerySet(Author).prefetch_related("articles").get(pk=pk)
