"""Rows of every kind of relation, and how many statements it takes to read them."""

import contextlib

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests.testapp.models import Article, Author, Comment, Plain, Profile, Tag
from turbo_orm import run_sync


@contextlib.contextmanager
def counted():
    statements = []

    def note(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


async def asked(function):
    """Return what a synchronous function gives, and the statements it took."""

    def run():
        with counted() as statements:
            return function(), statements

    return await run_sync(run)


async def fill(count):
    # Django caches content types for the life of the process: these tests are not about that.
    await run_sync(ContentType.objects.get_for_models, Article, Plain)
    for number in range(3):
        await Tag.objects.acreate(name=f"tag{number}")
    await fill_more(0, count)


async def fill_more(start, end):
    tags = await Tag.objects.all().alist()
    for number in range(start, end):
        author = await Author.objects.acreate(name=f"author{number}", age=number)
        await Profile.objects.acreate(author=author, bio=f"bio{number}")
        article = await Article.objects.acreate(title=f"title{number}", author=author)
        await article.tags.aset(tags)
        await Comment.objects.acreate(text=f"text{number}", content_object=article)
