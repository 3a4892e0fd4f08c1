"""The example of the README of turbo-orm-ninja does what it says."""

import unittest

import pytest
from django.test import override_settings

from tests.ninja.helpers import counted
from tests.readme_ninja import models
from turbo_orm.test import AsyncClient


async def test_the_example_answers_in_two_statements():
    author = await models.Author.objects.acreate(name="Ada")
    await models.Book.objects.acreate(title="Notes", summary="long", author=author)

    with override_settings(ROOT_URLCONF=models, ALLOWED_HOSTS=["testserver"]), counted() as asked:
        response = await AsyncClient().get("/api/books?author=ad")

    assert response.json() == {
        "items": [{"title": "Notes", "author": {"name": "Ada"}}],
        "count": 1,
    }
    assert len(asked) == 2
    assert not any('"summary"' in statement for statement in asked)


@pytest.mark.needs_thread("async_to_sync runs its loop in one")
def test_the_example_of_tests_passes():
    names = dict(vars(models))
    exec(compile(models.TESTS, str(models.README), "exec"), names)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(names["BookTests"]).run(result)

    assert (result.testsRun, result.errors, result.failures) == (2, [], [])
