"""Rows for the tests of the adapter, and the statements of a block."""

import contextlib

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests.testapp.models import Article, Author, Comment, Plain, Profile, Tag
from turbo_orm import run_sync


async def fill(start: int = 0, end: int = 3) -> None:
    """Make articles with everything around them."""
    # Django caches content types for the life of the process: these tests are not about that.
    await run_sync(ContentType.objects.get_for_models, Article, Plain)
    tags = [(await Tag.objects.aget_or_create(name=f"tag{n}"))[0] for n in range(3)]
    for number in range(start, end):
        author = await Author.objects.acreate(name=f"author{number}", age=number)
        await Profile.objects.acreate(author=author, bio=f"bio{number}")
        article = await Article.objects.acreate(title=f"title{number}", author=author)
        await article.tags.aset(tags)
        await Comment.objects.acreate(text=f"text{number}", content_object=article)


@contextlib.contextmanager
def counted():
    """Give a list that receives the statements of the block."""
    statements = []

    def note(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements
