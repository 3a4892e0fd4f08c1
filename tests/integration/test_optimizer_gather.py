"""What the optimiser fetched along is what the manager of a relation would have fetched."""

from unittest.mock import ANY

import pytest

from tests.fetching import asked, fill
from tests.testapp.models import Article, Author, Tag
from turbo_orm import run_sync
from turbo_orm.query import optimize

pytestmark = pytest.mark.rolled_back

TO_MANY = {
    "many-to-many": (Article, "tags", Tag, "name"),
    "many-to-many, reverse": (Tag, "articles", Article, "title"),
    "foreign key, reverse": (Author, "articles", Article, "title"),
}
FOLLOWED = {
    "again": lambda manager, name: manager.all(),
    "filtered": lambda manager, name: manager.filter(**{f"{name}__endswith": "1"}),
    "excluded": lambda manager, name: manager.exclude(**{f"{name}__endswith": "1"}),
    "ordered": lambda manager, name: manager.order_by(f"-{name}"),
    "sliced": lambda manager, name: manager.order_by(name)[:1],
    "named": lambda manager, name: manager.values_list(name, flat=True),
    "counted": lambda manager, name: [manager.count(), manager.exists()],
    "first": lambda manager, name: [manager.order_by("pk").first()],
    "got": lambda manager, name: [manager.get(pk=1)] if manager.filter(pk=1).exists() else [],
}


@pytest.mark.commits
@pytest.mark.parametrize("relation", TO_MANY)
@pytest.mark.parametrize("follow", FOLLOWED)
async def test_what_was_fetched_along_is_what_the_related_manager_has(relation, follow):
    model, accessor, _, name = TO_MANY[relation]
    await fill(3)
    if relation == "many-to-many, reverse":
        await Tag.objects.acreate(name="alone")

    def read(queryset):
        rows = queryset.order_by("pk")
        return [list(FOLLOWED[follow](getattr(row, accessor), name)) for row in rows]

    plain = await run_sync(read, model.objects.all())

    assert await run_sync(read, optimize(model.objects.all(), [f"{accessor}.{name}"])) == plain
    assert any(plain)


@pytest.mark.commits
@pytest.mark.parametrize("relation", TO_MANY)
async def test_what_was_fetched_along_is_there_and_forgotten_when_it_changes(relation):
    model, accessor, related, name = TO_MANY[relation]
    await fill(1)
    [row] = await optimize(model.objects.filter(pk=1), [f"{accessor}.{name}"]).alist()

    def read():
        return [one.pk for one in getattr(row, accessor).all()]

    before, statements = await asked(read)
    values = {"author_id": 1} if related is Article else {}
    made = await related.objects.acreate(**{name: "new"}, **values)
    await getattr(row, accessor).aadd(made)

    assert statements == []
    assert await run_sync(read) == [*before, made.pk]


async def test_a_row_that_was_fetched_along_knows_whose_it_is():
    await fill(2)

    def read():
        rows = optimize(Author.objects.all(), ["articles.title"])
        return [article.author is row for row in rows for article in row.articles.all()]

    assert await asked(read) == ([True, True], [ANY, ANY])


@pytest.mark.commits
async def test_a_second_filter_shares_its_join_with_that_of_the_relation():
    await fill(2)

    def read(rows):
        tags = rows.get(pk=1).tags.filter(articles__title="title1")
        return [tag.name for tag in tags]

    assert await run_sync(read, optimize(Article.objects.all(), ["tags.name"])) == []
    assert await run_sync(read, Article.objects.all()) == []
