"""What is used synchronously on the event loop is named, with what can be written instead."""

import django
import pytest
from django.contrib.auth import authenticate, get_user, login, logout, update_session_auth_hash
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import SynchronousOnlyOperation
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.test.utils import isolate_apps

from tests.testapp.models import Article, Author, Comment, Event, Note, Plain, Profile
from turbo_orm import atomic, run_sync
from turbo_orm.connection import refusal

NOW = django.VERSION[:2]
RUN_SYNC = "`await run_sync(function)`"


def deferred(model):
    """Return an instance of which only the primary key is loaded."""
    return model.from_db("default", ["id"], [1])


def own_function():
    """Code of the project, which evaluates a queryset."""
    return list(Author.objects.all())


@transaction.atomic
def decorated():
    raise AssertionError("the block was entered")


@atomic
def decorated_by_ours():
    raise AssertionError("the block was entered")


def enter(block):
    with block:
        raise AssertionError("the block was entered")


def request_with_session():
    request = HttpRequest()
    request.session = SessionStore("a-key-of-a-session")
    return request


def request_user():
    request = request_with_session()
    AuthenticationMiddleware(lambda request: None).process_request(request)
    return request.user.is_authenticated


SELECT = '`select_related("{}")` in the query that gives the object'
PREFETCH = '`prefetch_related("{}")` in the query that gives the object'

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
PREFETCHED = {
    "a foreign key": (Article, {"author_id": 1}, "author"),
    "a foreign key of a plain model": (Plain, {"parent_id": 1}, "parent"),
    "a reverse foreign key": (Author, {"pk": 1}, "articles"),
    "a reverse one-to-one": (Author, {"pk": 1}, "profile"),
    "many-to-many": (Article, {"pk": 1}, "tags"),
    "a generic key": (Comment, {"content_type_id": 10**6, "object_id": 1}, "content_object"),
}


def called(function):
    """Return what is said of a function that has an awaitable form from Django 5.0 on."""
    return f"{function}() was called", [f"`await a{function}(...)`"] * (NOW >= (5, 0))


# The use, what is said of it, and what can be written instead.
USES = {
    "a foreign key": (
        lambda: Article(author_id=1).author,
        "Article.author, which is not loaded yet, was read",
        ['`await article.afetch("author")`', SELECT.format("author")],
    ),
    "a foreign key of a plain model": (
        lambda: Plain(parent_id=1).parent,
        "Plain.parent, which is not loaded yet, was read",
        [SELECT.format("parent")],
    ),
    "a reverse one-to-one": (
        lambda: Author(pk=1).profile,
        "Author.profile, which is not loaded yet, was read",
        ['`await author.afetch("profile")`', SELECT.format("profile")],
    ),
    "a one-to-one": (
        lambda: Profile(author_id=1).author,
        "Profile.author, which is not loaded yet, was read",
        ['`await profile.afetch("author")`', SELECT.format("author")],
    ),
    "a deferred field": (
        lambda: deferred(Article).title,
        "Article.title, which is deferred, was read",
        ['`await article.afetch("title")`', '`await article.arefresh_from_db(fields=["title"])`'],
    ),
    "a deferred field of a plain model": (
        lambda: deferred(Plain).name,
        "Plain.name, which is deferred, was read",
        ['`await plain.arefresh_from_db(fields=["name"])`'],
    ),
    "a generic foreign key": (
        lambda: Comment(content_type_id=10**6, object_id=1).content_object,
        "Comment.content_object, which is not loaded yet, was read",
        ['`await comment.afetch("content_object")`', PREFETCH.format("content_object")],
    ),
    "a generic foreign key of a plain model": (
        lambda: Note(content_type_id=10**6, object_id=1).content_object,
        "Note.content_object, which is not loaded yet, was read",
        [PREFETCH.format("content_object")],
    ),
    "save": (
        lambda: Author(name="a").save(),
        "Author.save() was called",
        ["`await author.asave(...)`"],
    ),
    "save of a plain model": (
        lambda: Plain(name="a").save(),
        "Plain.save() was called",
        ["`await plain.asave(...)`"],
    ),
    "delete": (
        lambda: Author(pk=1).delete(),
        "Author.delete() was called",
        ["`await author.adelete(...)`"],
    ),
    "refresh_from_db": (
        lambda: Plain(pk=1).refresh_from_db(),
        "Plain.refresh_from_db() was called",
        ["`await plain.arefresh_from_db(...)`"],
    ),
    "full_clean": (
        lambda: Event(name="a", day="2026-01-01", at="2026-01-01T00:00Z").full_clean(),
        "Event.full_clean() was called",
        ["`await event.afull_clean(...)`"],
    ),
    "full_clean of a plain model": (
        lambda: User(username="a", password="b").full_clean(),
        "User.full_clean() was called",
        [],
    ),
    "get_next_by": (
        lambda: Event(pk=1, at="2026-01-01T00:00Z").get_next_by_at(),
        "Event.get_next_by_at() was called",
        ["`await event.aget_next_by_at(...)`"],
    ),
    "list": (
        lambda: list(Author.objects.all()),
        "A queryset of Author was iterated",
        ["`await queryset.alist()`", "`async for`"],
    ),
    "list, plain": (
        lambda: list(Plain.objects.all()),
        "A queryset of Plain was iterated",
        ["`async for`"],
    ),
    "for": (
        lambda: [author for author in Author.objects.filter(age=1)],  # noqa: C416
        "A queryset of Author was iterated",
        ["`await queryset.alist()`", "`async for`"],
    ),
    "if": (
        lambda: bool(Plain.objects.all()),
        "A queryset of Plain was tested for truth",
        ["`await queryset.aexists()`", "`async for`"],
    ),
    "len": (
        lambda: len(Author.objects.all()),
        "A queryset of Author was measured with len()",
        ["`await queryset.acount()`", "`await queryset.alist()`", "`async for`"],
    ),
    "an index": (
        lambda: Author.objects.all()[0],
        "A queryset of Author was indexed",
        ["`await queryset.alist()`", "`async for`"],
    ),
    "iterator": (
        lambda: list(Plain.objects.iterator()),
        "A queryset of Plain was iterated",
        ["`async for`"],
    ),
    "raw": (
        lambda: list(Plain.objects.raw("SELECT 1 AS id")),
        "A queryset of Plain was iterated",
        ["`async for`"],
    ),
    "raw of ours": (
        lambda: list(Author.objects.raw("SELECT 1 AS id")),
        "A queryset of Author was iterated",
        ["`await queryset.alist()`", "`async for`"],
    ),
    "count of a manager": (
        lambda: Author.objects.count(),
        "Author.objects.count() was called",
        ["`await Author.objects.acount(...)`"],
    ),
    "get of a plain manager": (
        lambda: Plain.objects.get(pk=1),
        "Plain.objects.get() was called",
        ["`await Plain.objects.aget(...)`"],
    ),
    "get of a queryset": (
        lambda: Author.objects.filter(age=1).get(),
        "QuerySet of Author.get() was called",
        ["`await queryset.aget(...)`"],
    ),
    "count of a plain queryset": (
        lambda: Plain.objects.filter(name="a").count(),
        "QuerySet of Plain.count() was called",
        ["`await queryset.acount(...)`"],
    ),
    "update": (
        lambda: Plain.objects.filter(name="a").update(name="b"),
        "QuerySet of Plain.update() was called",
        ["`await queryset.aupdate(...)`"],
    ),
    "a relation to many": (
        lambda: list(Author(pk=1).articles.all()),
        "A queryset of Article was iterated",
        ["`await queryset.alist()`", "`async for`"],
    ),
    "count of a relation to many": (
        lambda: Author(pk=1).articles.count(),
        "author.articles.count() was called",
        ["`await author.articles.acount(...)`"],
    ),
    "add to a relation to many": (
        lambda: Article(pk=1).tags.add(1),
        "article.tags.add() was called",
        ["`await article.tags.aadd(...)`"],
    ),
    "create in a plain relation": (
        lambda: Plain(pk=1).children.create(name="a"),
        "plain.children.create() was called",
        ["`await plain.children.acreate(...)`"],
    ),
    "clear a reverse relation": (
        lambda: Author(pk=1).edited.clear(),
        "author.edited.clear() was called",
        ["`await author.edited.aclear(...)`"],
    ),
    "a block of Django's": (
        lambda: enter(transaction.atomic()),
        "`with atomic():` was entered",
        ["`async with atomic():`"],
    ),
    "a block of ours": (
        lambda: enter(atomic()),
        "`with atomic():` was entered",
        ["`async with atomic():`"],
    ),
    "a decorated function": (
        decorated,
        "decorated(), which `atomic` decorates, was called",
        ["`async def` before decorated and await it"],
    ),
    "a function decorated by ours": (
        decorated_by_ours,
        "decorated_by_ours(), which `atomic` decorates, was called",
        ["`async def` before decorated_by_ours and await it"],
    ),
    "a cursor": (
        lambda: connection.cursor(),
        "connections['default'].cursor() was called",
        [],
    ),
    "a property of the connection": (
        lambda: connection.pg_version,
        "connections['default'].pg_version was read",
        [],
    ),
    "a commit": (
        lambda: transaction.commit(),
        "connections['default'].commit() was called",
        ["`async with turbo_orm.atomic():`"],
    ),
    "own code": (
        own_function,
        "A queryset of Author was iterated",
        ["`await queryset.alist()`", "`async for`"],
    ),
    "a subclass of a manager's": (
        lambda: Author.objects.db_manager("default").first(),
        "Author.objects.first() was called",
        ["`await Author.objects.afirst(...)`"],
    ),
    "a session": (
        lambda: SessionStore("a-key-of-a-session")["name"],
        "SessionStore.__getitem__() was called",
        ["its method `aget()`, awaited"],
    )
    if NOW >= (5, 1)
    else (
        lambda: SessionStore("a-key-of-a-session")["name"],
        "Session.objects.get() was called",
        ["`await Session.objects.aget(...)`"],
    ),
    "request.user": (
        request_user,
        "request.user was read",
        ["`await request.auser()`"] if NOW >= (5, 0) else [],
    ),
    "get_object_or_404": (
        lambda: get_object_or_404(Author, pk=1),
        "get_object_or_404() was called"
        if NOW >= (5, 0)
        else "QuerySet of Author.get() was called",
        ["`await aget_object_or_404(...)`" if NOW >= (5, 0) else "`await queryset.aget(...)`"],
    ),
    **{
        f"prefetch_related_objects of {what}": (
            lambda model=model, values=values, name=name: prefetch_related_objects(
                [model(**values)], name
            ),
            *called("prefetch_related_objects"),
        )
        for what, (model, values, name) in PREFETCHED.items()
    },
    "authenticate": (lambda: authenticate(username="a", password="b"), *called("authenticate")),
    "get_user": (lambda: get_user(request_with_session()), *called("get_user")),
    "login": (
        lambda: login(request_with_session(), User(pk=1), MODEL_BACKEND),
        *called("login"),
    ),
    "logout": (lambda: logout(request_with_session()), *called("logout")),
    "update_session_auth_hash": (
        lambda: update_session_auth_hash(request_with_session(), User(pk=1)),
        *called("update_session_auth_hash"),
    ),
    "call_command": (
        lambda: call_command("clearsessions"),
        *("call_command() was called", []),
    ),
}


@pytest.mark.may_block("a command is looked for in folders, and what checks a password")
@pytest.mark.parametrize("use", USES)
async def test_it_is_named_with_what_exists_there(use):
    function, what, remedies = USES[use]

    with pytest.raises(SynchronousOnlyOperation) as refused:
        function()

    last = f"run the synchronous code with {RUN_SYNC}."
    advice = f"Write {' or '.join(remedies)}, or {last}" if remedies else last.capitalize()
    assert str(refused.value) == (
        f"{what} on the event loop, where synchronous code cannot wait for database 'default'. "
        f"{advice}"
    )


@pytest.mark.parametrize("use", USES)
async def test_the_judge_the_same_code_is_not_refused_in_the_bridge(use):
    def called():
        try:
            USES[use][0]()
        except SynchronousOnlyOperation:
            raise
        except (Exception, AssertionError):
            return

    await run_sync(called)


async def test_what_cannot_be_described_is_refused_all_the_same(monkeypatch):
    def fail(frame):
        raise ValueError

    monkeypatch.setattr(refusal, "use_of", fail)

    with pytest.raises(SynchronousOnlyOperation, match="^A database was used on the event loop"):
        list(Author.objects.all())


@isolate_apps("tests.testapp")
async def test_a_query_in_a_model_of_an_override_names_what_the_override_calls():
    class Overridden(models.Model):
        class Meta:
            app_label = "testapp"
            managed = False

        def save(self, *args, **kwargs):
            super().save(*args, **kwargs)

    with pytest.raises(SynchronousOnlyOperation, match=r"^Overridden.save\(\) was called"):
        Overridden().save()
