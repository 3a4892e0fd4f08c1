"""The README's quickstart, executed word for word."""

import ast
import inspect

from tests.readme import models
from tests.readme.models import README, STATEMENTS


async def test_quickstart_of_the_readme_does_what_it_says():
    author = await models.Author.objects.acreate(name="Ada")
    for number in range(12):
        await models.Article.objects.acreate(
            title=f"t{number}", author=author, is_published=number != 3
        )
    notified = []
    names = {**vars(models), "author": author, "notify": notified.append}

    code = compile(STATEMENTS, str(README), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    assert inspect.isawaitable(result)
    await result

    assert [a.title for a in names["articles"]] == [
        *("t11", "t10", "t9", "t8", "t7", "t6", "t5", "t4", "t2", "t1")
    ]
    assert {a.author.name for a in names["articles"]} == {"Ada"}
    assert names["article"].title == "t0"
    assert names["total"] == 11
    assert names["a"].author_id == author.pk
    assert names["new"].title == "Hello"
    assert notified == [names["new"].pk]
