"""Synchronous code: untouched without a loop, refused on the loop, at home in the bridge."""

import io
import pickle

import pytest
from django import forms
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import SynchronousOnlyOperation
from django.core.management import call_command
from django.db import (
    InterfaceError,
    close_old_connections,
    connection,
    connections,
    reset_queries,
    transaction,
)
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Article, Author, Plain, Special, Tag
from turbo_orm import atomic, run_sync

FORM = {
    "title": "made",
    "is_published": "on",
    "views": "3",
    "metadata": "{}",
}


class ArticleForm(forms.ModelForm):
    class Meta:
        model = Article
        fields = ["title", "author", "tags"]


class AuthorChoice(forms.Form):
    author = forms.ModelChoiceField(Author.objects.filter(age__gt=18))


@pytest.fixture(autouse=True)
def known_host():
    """The name by which Django's test client calls the server."""
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        yield


@pytest.fixture
def ada():
    return Author.objects.create(name="Ada", age=36)


@pytest.fixture
def client():
    User.objects.create_superuser("root", password="secret")
    client = Client(raise_request_exception=True)
    client.post("/admin/login/", {"username": "root", "password": "secret"})
    return client


def rows():
    return list(Article.objects.values_list("title", "author__name", "views"))


def test_the_orm_reads_and_writes(ada):
    article = ada.articles.create(title="one")
    article.tags.add(Tag.objects.create(name="x"))
    article.views = 5
    article.save()

    assert rows() == [("one", "Ada", 5)]
    assert list(Article.objects.prefetch_related("tags").get().tags.all()) == [Tag.objects.get()]
    assert (len(Article.objects.all()), bool(Article.objects.all())) == (1, True)
    assert Article.objects.all()[0] == article
    assert [a.pk for a in Article.objects.iterator(chunk_size=1)] == [article.pk]
    assert Author.objects.filter(pk=ada.pk).delete()[0] == 3


def test_raw_queries_and_cursors_work(ada):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM testapp_author")
        assert cursor.fetchall() == [("Ada",)]
    assert list(Author.objects.raw("SELECT * FROM testapp_author")) == [ada]


def test_blocks_commit_and_roll_back(ada):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Author.objects.create(name="gone")
        _ = 1 / 0
    with atomic():
        Author.objects.create(name="kept")

    assert list(Author.objects.order_by("pk").values_list("name", flat=True)) == ["Ada", "kept"]


def test_our_block_decorates_functions(ada):
    @atomic
    def rename():
        Author.objects.update(name="Eve")
        return connection.in_atomic_block

    assert rename() is True
    assert connection.in_atomic_block is False


def test_queries_are_captured(ada):
    with CaptureQueriesContext(connection) as queries:
        Author.objects.get()

    assert len(queries) == 1


def test_the_connection_is_djangos_own(ada):
    from django.db.utils import load_backend

    engine = load_backend(connection.settings_dict["ENGINE"]).DatabaseWrapper

    assert type(connection._connections[connection._alias]) is engine


def test_a_model_form_saves_with_its_relations(ada):
    tag = Tag.objects.create(name="x")
    form = ArticleForm({"title": "made", "author": ada.pk, "tags": [tag.pk]})

    assert form.errors == {}
    assert list(form.save().tags.all()) == [tag]
    assert rows() == [("made", "Ada", 0)]


def test_a_model_form_finds_what_is_not_unique():
    Tag.objects.create(name="x")
    form = forms.modelform_factory(Tag, fields=["name"])({"name": "x"})

    assert form.errors == {"name": ["Tag with this Name already exists."]}


def test_a_model_choice_field_lists_and_validates(ada):
    young = Author.objects.create(name="Kid", age=3)

    assert [str(label) for _, label in AuthorChoice().fields["author"].choices][1:] == ["Ada"]
    assert AuthorChoice({"author": ada.pk}).is_valid() is True
    assert AuthorChoice({"author": young.pk}).is_valid() is False


def test_the_admin_lists_searches_adds_changes_and_deletes(client, ada):
    added = client.post("/admin/testapp/article/add/", {**FORM, "author": ada.pk})
    pk = Article.objects.get().pk
    listed = client.get("/admin/testapp/article/", {"q": "mad", "is_published__exact": "1"})
    url = f"/admin/testapp/article/{pk}/change/"
    shown = client.get(url)
    changed = client.post(url, {**FORM, "title": "changed", "author": ada.pk})

    assert [r.status_code for r in (added, listed, shown, changed)] == [302, 200, 200, 302]
    assert b"made" in listed.content
    assert rows() == [("changed", "Ada", 3)]
    client.post(f"/admin/testapp/article/{pk}/delete/", {"post": "yes"})
    assert rows() == []


def test_a_queryset_and_its_instances_can_be_pickled(ada):
    queryset = Author.objects.filter(name="Ada")
    copy = pickle.loads(pickle.dumps(queryset))
    query = Author.objects.all()
    query.query = pickle.loads(pickle.dumps(queryset.query))

    assert (list(copy), list(query), type(copy)) == ([ada], [ada], type(queryset))
    assert pickle.loads(pickle.dumps(ada)) == ada


def test_the_checks_pass():
    out = io.StringIO()
    call_command("check", "--tag", "models", "--tag", "turbo_orm", stdout=out)

    assert "no issues" in out.getvalue()


def test_a_migration_is_written_without_mentioning_the_managers():
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("makemigrations", "testapp", check=True, dry_run=True, verbosity=3, stdout=out)

    assert "Create model Article" in out.getvalue()
    assert "AsyncManager" not in out.getvalue()


def test_a_manager_for_migrations_is_written_as_itself():
    from django.db.migrations.writer import MigrationWriter

    from turbo_orm import AsyncManager

    text, imports = MigrationWriter.serialize(AsyncManager())

    assert text == "turbo_orm.models.AsyncManager()"
    assert imports == {"import turbo_orm.models"}


def test_fixtures_are_dumped_and_loaded(ada, tmp_path):
    path = tmp_path / "authors.json"
    call_command("dumpdata", "testapp.author", output=str(path), verbosity=0)
    Author.objects.all().delete()
    call_command("loaddata", str(path), verbosity=0)

    assert list(Author.objects.all()) == [ada]


SYNCHRONOUS = {
    "iterating": lambda: list(Author.objects.all()),
    "len": lambda: len(Author.objects.all()),
    "bool": lambda: bool(Author.objects.all()),
    "indexing": lambda: Author.objects.all()[0],
    "a step": lambda: Author.objects.all()[::2],
    "get": lambda: Author.objects.get(pk=1),
    "count": Author.objects.count,
    "create": lambda: Author.objects.create(name="x"),
    "save": lambda: Author(name="x").save(),
    "lazy": lambda: Article(author_id=1).author,
    "reverse": lambda: list(Author(pk=1).articles.all()),
    "raw": lambda: list(Author.objects.raw("SELECT * FROM testapp_author")),
    "plain": lambda: list(Plain.objects.all()),
    "cursor": lambda: connection.cursor().close(),
    "block": lambda: transaction.atomic().__enter__(),
}


@pytest.mark.parametrize("use", SYNCHRONOUS)
async def test_on_the_loop_the_refusal_names_what_to_write(use):
    with pytest.raises(SynchronousOnlyOperation) as refused:
        SYNCHRONOUS[use]()

    # test_refusals.py has the rest of it.
    assert "await run_sync(function)" in str(refused.value)


@pytest.mark.parametrize(
    "empty", [Author.objects.none(), Author.objects.filter(pk__in=[])], ids=["none", "in nothing"]
)
async def test_on_the_loop_what_asks_no_database_is_allowed(empty):
    assert (list(empty.all()), len(empty.all()), bool(empty.all())) == ([], 0, False)


@pytest.mark.parametrize(
    "housekeeping", [close_old_connections, connections.close_all, reset_queries]
)
async def test_on_the_loop_djangos_housekeeping_finds_nothing_to_close(housekeeping):
    await Author.objects.acreate(name="Ada")
    housekeeping()

    assert await Author.objects.acount() == 1


@pytest.mark.parametrize(
    "housekeeping", [close_old_connections, connections.close_all, reset_queries]
)
async def test_in_the_bridge_djangos_housekeeping_gives_connections_back(housekeeping):
    def work():
        made = Author.objects.create(name="Ada")
        housekeeping()
        return Author.objects.get() == made

    assert await run_sync(work) is True


async def test_on_the_loop_the_state_of_the_connection_can_be_asked():
    outside = connection.in_atomic_block, transaction.get_autocommit(), connection.vendor
    async with atomic():
        inside = connection.in_atomic_block, transaction.get_rollback()

    assert outside == (False, True, "postgresql")
    assert inside == (True, False)


async def test_building_and_printing_a_query_needs_no_database():
    queryset = Article.objects.filter(author__name="Ada", pk__in=[1, 2]).order_by("-title")[:3]

    assert 'ORDER BY "testapp_article"."title" DESC LIMIT 3' in str(queryset.query)


@pytest.mark.parametrize(
    "test",
    [
        test_the_orm_reads_and_writes,
        test_raw_queries_and_cursors_work,
        test_blocks_commit_and_roll_back,
        test_our_block_decorates_functions,
        test_queries_are_captured,
        test_a_model_form_saves_with_its_relations,
        test_a_model_choice_field_lists_and_validates,
        test_a_queryset_and_its_instances_can_be_pickled,
    ],
)
async def test_in_the_bridge_the_same_code_works(test):
    ada = await Author.objects.acreate(name="Ada", age=36)

    await run_sync(test, ada)


async def test_an_iterator_left_open_in_the_bridge_gives_its_connection_back():
    await Author.objects.abulk_create([Author(name=name) for name in "abc"])

    def begin():
        rows = Author.objects.order_by("pk").iterator(chunk_size=1)
        return next(rows).name, rows

    first, rows = await run_sync(begin)

    assert first == "a"
    with pytest.raises(InterfaceError, match="gone back to the pool"):
        await run_sync(list, rows)


async def test_in_the_bridge_content_types_work():
    def read():
        ContentType.objects.clear_cache()
        found = ContentType.objects.get_for_model(Author)
        return found.model_class(), ContentType.objects.get_for_models(Article, Tag)

    model, types = await run_sync(read)

    assert model is Author
    assert {key: value.model for key, value in types.items()} == {Article: "article", Tag: "tag"}


async def test_in_the_bridge_the_admin_lists_and_adds():
    # Without a password, which would be hashed in a thread.
    root = await User.objects.acreate(username="root", is_staff=True, is_superuser=True)
    ada = await Author.objects.acreate(name="Ada")
    admin = site._registry[Article]

    def request(method, data):
        made = getattr(RequestFactory(), method)("/admin/testapp/article/", data)
        made.user, made.session, made._dont_enforce_csrf_checks = root, {}, True
        made._messages = FallbackStorage(made)
        return made

    added = await run_sync(admin.add_view, request("post", {**FORM, "author": ada.pk}))
    listed = await run_sync(
        lambda: admin.changelist_view(request("get", {"q": "Ada"})).render().content
    )

    assert added.status_code == 302
    assert b"made" in listed
    assert await run_sync(rows) == [("made", "Ada", 3)]


async def test_in_the_bridge_forms_find_what_is_not_unique():
    await run_sync(test_a_model_form_finds_what_is_not_unique)


@pytest.mark.may_block("a command is looked for in folders")
async def test_in_the_bridge_the_checks_pass():
    await run_sync(test_the_checks_pass)


def test_special_types_work_synchronously():
    Special.objects.create(attributes={"a": "1"}, numbers=[1])

    assert Special.objects.get().attributes == {"a": "1"}
