"""The example of the README of turbo-orm-drf does what it says."""

import re

from django.test import override_settings

from tests.ninja.helpers import counted
from tests.readme_drf import models
from turbo_orm_drf.test import AsyncAPIClient


async def test_the_example_answers_in_two_statements():
    author = await models.Author.objects.acreate(name="Ada")
    await models.Book.objects.acreate(title="Notes", summary="long", author=author)

    with override_settings(ROOT_URLCONF=models, ALLOWED_HOSTS=["testserver"]), counted() as asked:
        response = await AsyncAPIClient().get("/api/books/?search=ad")

    assert response.json() == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [{"id": 1, "title": "Notes", "author": {"name": "Ada"}}],
    }
    assert len(asked) == 2
    assert not any('"summary"' in statement for statement in asked)


async def test_the_action_of_the_example_lists_the_others():
    author = await models.Author.objects.acreate(name="Ada")
    await models.Book.objects.abulk_create(
        [models.Book(title=title, author=author) for title in ("Notes", "Letters")]
    )

    with override_settings(ROOT_URLCONF=models, ALLOWED_HOSTS=["testserver"]):
        response = await AsyncAPIClient().get("/api/books/1/others/")

    assert response.json() == [{"id": 2, "title": "Letters", "author": {"name": "Ada"}}]


def test_what_the_readme_names_exists():
    import turbo_orm_drf

    text = models.README.read_text(encoding="utf-8")
    named = set(re.findall(r"\bturbo_orm_drf\.(\w+)", text)) - {"py"}

    assert all(getattr(turbo_orm_drf, name) for name in named)
    for name in turbo_orm_drf.__all__:
        assert getattr(turbo_orm_drf, name)
    assert sorted(turbo_orm_drf.__all__) == turbo_orm_drf.__all__ == dir(turbo_orm_drf)
