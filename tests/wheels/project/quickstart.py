"""Make the tables, do what the README says, and look whether that comes of it."""

import ast
import asyncio
import inspect
import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from quick import models  # noqa: E402

from turbo_orm import close_pools, pool_stats  # noqa: E402
from turbo_orm.test import AsyncClient  # noqa: E402


async def core():
    """Execute the statements of the second example."""
    author = await models.Author.objects.acreate(name="Ada")
    for number in range(12):
        await models.Article.objects.acreate(
            title=f"t{number}", author=author, is_published=number != 3
        )
    names = {**vars(models), "author": author, "notify": print}
    code = compile(models.EXAMPLES[1], "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    executed = eval(code, names)
    assert inspect.isawaitable(executed)
    await executed
    assert len(names["articles"]) == 10
    assert {article.author.name for article in names["articles"]} == {"Ada"}
    assert names["article"].title == "t0"
    assert names["new"].title == "Hello"


async def answer(method, path, body=None):
    """Return what the project answers, read from JSON."""
    author = await models.Author.objects.acreate(name="Ada")
    await models.Book.objects.acreate(title="Notes", summary="long", author=author)
    options = {"data": json.dumps(body), "content_type": "application/json"} if body else {}
    return (await getattr(AsyncClient(), method)(path, **options)).json()


async def drf():
    """Ask for a page of books."""
    found = await answer("get", "/api/books/?search=ad")
    books = [{"id": 1, "title": "Notes", "author": {"name": "Ada"}}]
    assert found == {"count": 1, "next": None, "previous": None, "results": books}, found


async def ninja():
    """Ask for a page of books."""
    found = await answer("get", "/api/books?author=ad")
    books = [{"title": "Notes", "author": {"name": "Ada"}}]
    assert found == {"items": books, "count": 1}, found


async def strawberry():
    """Ask for books, and make one."""
    found = await answer(
        "post", "/graphql/", {"query": '{ books(author: "ad") { title author { name } } }'}
    )
    assert found == {"data": {"books": [{"title": "Notes", "author": {"name": "Ada"}}]}}, found
    found = await answer(
        "post",
        "/graphql/",
        {
            "query": 'mutation { createBook(data: {title: "More", author: {set: 1}}) { title } '
            'rename(old: "More", new: "Less") { title author { name } } }'
        },
    )
    less = {"title": "Less", "author": {"name": "Ada"}}
    assert found == {"data": {"createBook": {"title": "More"}, "rename": less}}, found


async def main(quickstart):
    """Run one quickstart, and see that it used the pool."""
    await quickstart()
    assert pool_stats().requests > 0
    await close_pools()


call_command("migrate", run_syncdb=True, verbosity=0)
package = os.environ["WHEELS_PACKAGE"]
asyncio.run(main({"core": core, "drf": drf, "ninja": ninja, "strawberry": strawberry}[package]))
print("as the README says")
