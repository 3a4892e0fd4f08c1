"""The whole admin on the event loop, without a thread, when SYNC_VIEWS says so."""

import re
import threading

import asgiref.sync
import psycopg
import pytest
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.urls import path

from tests.asgi_client import Client
from tests.testapp.admin import ArticleAdmin
from tests.testapp.models import Article, Author, Tag
from turbo_orm import run_sync
from turbo_orm.connection.facade import BridgedConnection

HASHES = "a password is hashed in a thread: it takes the CPU for long"


class ArticleInline(admin.TabularInline):
    model = Article
    fk_name = "author"
    fields = ("title", "is_published")
    extra = 1


class AuthorAdmin(admin.ModelAdmin):
    list_display = ("name", "age")
    list_filter = ("age",)
    list_per_page = 2
    ordering = ("name",)
    search_fields = ("name",)
    inlines = (ArticleInline,)


site = admin.AdminSite()
site.register(Author, AuthorAdmin)
site.register(Article, ArticleAdmin)
AUTHORS = "/admin/testapp/author/"


@pytest.fixture
def anonymous(serve, monkeypatch) -> Client:
    """A client of the admin; no synchronous connection may be used meanwhile."""
    original = psycopg.Connection.wait

    def refuse(self, *args, **kwargs):
        assert isinstance(self, BridgedConnection), "a statement past the bridge"
        return original(self, *args, **kwargs)

    monkeypatch.setattr(psycopg.Connection, "wait", refuse)
    return serve([path("admin/", site.urls)], TURBO_ORM={"SYNC_VIEWS": "loop"})


@pytest.fixture
async def client(anonymous, logged_in) -> Client:
    """A client in whose session a superuser is logged in."""
    return await logged_in(anonymous, "boss", is_staff=True, is_superuser=True)


async def log():
    return [(e.action_flag, e.object_repr) async for e in LogEntry.objects.order_by("pk")]


def articles(*titles, initial=()):
    """Return the fields of the inline formset: the given ones, and new ones with these titles."""
    rows = [*initial, *({"title": title, "is_published": "on"} for title in titles)]
    fields = {"articles-TOTAL_FORMS": len(rows), "articles-INITIAL_FORMS": len(initial)}
    for number, row in enumerate(rows):
        fields |= {f"articles-{number}-{name}": value for name, value in row.items()}
    return fields


async def test_the_index_lists_the_models_and_what_was_done(client):
    user = await User.objects.aget()
    author = await Author.objects.acreate(name="Ada")
    await run_sync(
        lambda: LogEntry.objects.create(
            user=user, object_id=author.pk, object_repr="Ada", action_flag=ADDITION
        )
    )
    response = await client.get("/admin/")
    assert response.status == 200
    assert f'href="{AUTHORS}add/"' in response.text
    assert "Ada" in response.text


async def test_the_anonymous_are_sent_to_the_login_page(anonymous):
    response = await anonymous.get(AUTHORS)
    assert (response.status, response["Location"]) == (302, f"/admin/login/?next={AUTHORS}")
    assert (await anonymous.get("/admin/login/")).status == 200


@pytest.mark.needs_thread(HASHES)
async def test_a_login_through_the_form_hashes_in_one_thread_and_does_the_rest_here(
    anonymous, monkeypatch
):
    await run_sync(User.objects.create_superuser, "boss", "boss@example.com", "secret")
    threads = []
    original = threading.Thread.start

    def start(self):
        threads.append(self.name.split("_0")[0])
        original(self)

    def refuse(self, *args, **kwargs):
        raise AssertionError(f"a thread for {self.func}")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr(asgiref.sync.SyncToAsync, "__call__", refuse)
    await anonymous.get("/admin/login/")
    wrong = await anonymous.post("/admin/login/", {"username": "boss", "password": "wrong"})
    right = await anonymous.post("/admin/login/", {"username": "boss", "password": "secret"})

    assert (wrong.status, "Please enter the correct username" in wrong.text) == (200, True)
    assert (right.status, right["Location"]) == (302, "/accounts/profile/")
    assert (await anonymous.get("/admin/")).status == 200
    assert set(threads) == {"turbo_orm"}
    assert await Session.objects.acount() == 1
    assert (await User.objects.aget()).last_login is not None


async def test_the_changelist_searches_filters_and_pages(client):
    for name, age in (("Ada", 36), ("Alan", 41), ("Grace", 36), ("Edsger", 72)):
        await Author.objects.acreate(name=name, age=age)

    async def listed(query):
        response = await client.get(AUTHORS + query)
        assert response.status == 200
        return re.findall(r'<th class="field-name">\s*<a [^>]*>(.*?)</a>', response.text)

    assert await listed("") == ["Ada", "Alan"]
    assert await listed("?p=2") == ["Edsger", "Grace"]
    assert await listed("?q=gr") == ["Grace"]
    assert await listed("?age=36") == ["Ada", "Grace"]
    assert await listed("?age=36&q=a&o=-1") == ["Grace", "Ada"]


async def test_an_author_is_added_with_articles(client):
    assert (await client.get(f"{AUTHORS}add/")).status == 200
    refused = await client.post(f"{AUTHORS}add/", {"name": "", "age": 36, **articles("Notes")})
    assert (refused.status, "This field is required." in refused.text) == (200, True)
    assert await Author.objects.acount() == 0

    data = {"name": "Ada", "age": 36, **articles("Notes", "Letters")}
    response = await client.post(f"{AUTHORS}add/", data)
    assert (response.status, response["Location"]) == (302, AUTHORS)
    author = await Author.objects.aget()
    titles = [article.title async for article in Article.objects.filter(author=author)]
    assert (author.name, author.age, titles) == ("Ada", 36, ["Notes", "Letters"])
    assert await log() == [(ADDITION, "Ada")]
    assert "was added successfully" in (await client.get(AUTHORS)).text


async def test_an_author_is_edited_with_articles_and_the_history_tells(client):
    author = await Author.objects.acreate(name="Ada", age=36)
    kept = await Article.objects.acreate(title="Notes", author=author)
    dropped = await Article.objects.acreate(title="Letters", author=author)
    url = f"{AUTHORS}{author.pk}/"
    page = await client.get(f"{url}change/")
    assert (page.status, "Notes" in page.text, "Letters" in page.text) == (200, True, True)

    initial = [
        {"id": kept.pk, "author": author.pk, "title": "Notes, revised"},
        {"id": dropped.pk, "author": author.pk, "title": "Letters", "DELETE": "on"},
    ]
    data = {"name": "Ada L.", "age": 37, **articles("Poems", initial=initial)}
    response = await client.post(f"{url}change/", data)
    assert (response.status, response["Location"]) == (302, AUTHORS)
    await author.arefresh_from_db()
    found = [(a.title, a.is_published) async for a in Article.objects.order_by("pk")]
    assert (author.name, author.age) == ("Ada L.", 37)
    assert found == [("Notes, revised", False), ("Poems", True)]
    assert await log() == [(CHANGE, "Ada L.")]
    history = await client.get(f"{url}history/")
    assert (history.status, "Changed Name and Age" in history.text) == (200, True)


async def test_an_article_is_edited_with_its_tags(client):
    author = await Author.objects.acreate(name="Ada")
    tags = [await Tag.objects.acreate(name=name) for name in ("maths", "poetry", "engines")]
    article = await Article.objects.acreate(title="Notes", author=author)
    url = f"/admin/testapp/article/{article.pk}/change/"
    assert "poetry" in (await client.get(url)).text

    chosen = [tags[0].pk, tags[2].pk]
    data = {"title": "Notes", "views": 1, "metadata": "{}", "author": author.pk, "tags": chosen}
    response = await client.post(url, data)
    assert response.status == 302
    assert [tag.pk async for tag in article.tags.order_by("pk")] == chosen


async def test_an_author_is_deleted_with_what_depends_on_it_after_a_confirmation(client):
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.acreate(title="Notes", author=author)
    url = f"{AUTHORS}{author.pk}/delete/"
    page = await client.get(url)
    assert (page.status, "Are you sure" in page.text, "Notes" in page.text) == (200, True, True)
    assert await Author.objects.acount() == 1

    response = await client.post(url, {"post": "yes"})
    assert (response.status, response["Location"]) == (302, AUTHORS)
    assert (await Author.objects.acount(), await Article.objects.acount()) == (0, 0)
    assert await log() == [(DELETION, "Ada")]


async def test_the_action_deletes_what_was_selected_after_a_confirmation(client):
    authors = [await Author.objects.acreate(name=name) for name in ("Ada", "Alan", "Grace")]
    await client.get(AUTHORS)
    chosen = {"action": "delete_selected", "_selected_action": [a.pk for a in authors[:2]]}
    page = await client.post(AUTHORS, chosen)
    assert (page.status, "Are you sure" in page.text) == (200, True)
    assert await Author.objects.acount() == 3

    response = await client.post(AUTHORS, {**chosen, "post": "yes"})
    assert (response.status, response["Location"]) == (302, AUTHORS)
    assert [author.name async for author in Author.objects.all()] == ["Grace"]
    assert sorted(await log()) == [(DELETION, "Ada"), (DELETION, "Alan")]
    assert "Successfully deleted 2 authors" in (await client.get(AUTHORS)).text


async def test_a_form_without_its_token_is_refused(client):
    client.cookies.pop("csrftoken", None)
    response = await client.post(f"{AUTHORS}add/", {"name": "Ada", "age": 36, **articles()})
    assert (response.status, await Author.objects.acount()) == (403, 0)


async def test_a_failing_form_leaves_nothing_behind(client, monkeypatch):
    def fail(self, *args, **kwargs):
        raise LookupError("no log")

    await client.get(f"{AUTHORS}add/")
    monkeypatch.setattr(admin.ModelAdmin, "log_addition", fail)
    data = {"name": "Ada", "age": 36, **articles("Notes")}
    assert (await client.post(f"{AUTHORS}add/", data)).status == 500
    assert (await Author.objects.acount(), await Article.objects.acount()) == (0, 0)


async def test_a_logout_ends_the_session(client):
    await client.get("/admin/")
    assert await Session.objects.acount() == 1
    response = await client.post("/admin/logout/")
    assert (response.status, "Logged out" in response.text) == (200, True)
    assert await Session.objects.acount() == 0
    assert (await client.get("/admin/")).status == 302
