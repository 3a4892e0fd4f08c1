"""Relations in every direction, awaited; with Django's own names redirected and without."""

import django
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Prefetch
from django.db.models.signals import m2m_changed
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Article, Author, Comment, Friendship, Person, Profile, Tag
from turbo_orm import run_sync
from turbo_orm.patches import redirect

pytestmark = pytest.mark.rolled_back


@pytest.fixture(autouse=True, params=["redirected", "not redirected"])
def redirects(request):
    """Related managers of our models are ours, whatever Django's own methods do."""
    if request.param == "not redirected":
        redirect.revert()
    yield
    redirect.apply()


@pytest.fixture
async def ada():
    return await Author.objects.acreate(name="Ada")


@pytest.fixture
async def article(ada):
    return await Article.objects.acreate(title="one", author=ada)


@pytest.fixture
def known_types():
    """Django caches content types for the life of the process; these tests are not about that."""
    ContentType.objects.get_for_models(Article, Comment)


@pytest.fixture
def no_known_types():
    ContentType.objects.clear_cache()


@pytest.fixture
async def tags():
    return await Tag.objects.abulk_create([Tag(name="x"), Tag(name="y"), Tag(name="z")])


async def names(queryset):
    return sorted([item.name async for item in queryset.all()])


async def titles(queryset):
    return sorted([item.title async for item in queryset.all()])


async def test_a_reverse_manager_reads(ada, article):
    assert await ada.articles.alist() == [article]
    assert [a async for a in ada.articles.all()] == [article]
    assert await ada.articles.filter(title="one").acount() == 1
    assert await ada.articles.aget(title="one") == article
    assert await ada.articles.aexists() is True


async def test_a_reverse_manager_creates(ada):
    made = await ada.articles.acreate(title="two")
    got = await ada.articles.aget_or_create(title="two")
    again = await ada.articles.aget_or_create(title="three", defaults={"views": 3})
    updated = await ada.articles.aupdate_or_create(title="three", defaults={"views": 4})

    assert (got, again[1], updated) == ((made, False), True, (again[0], False))
    assert await ada.articles.values_list("title", "views").alist() == [("two", 0), ("three", 4)]


@pytest.mark.skipif(django.VERSION < (5, 0), reason="create_defaults came with Django 5.0")
async def test_a_reverse_manager_takes_create_defaults(ada):
    made, created = await ada.articles.aupdate_or_create(
        title="two", defaults={"views": 1}, create_defaults={"views": 2}
    )

    assert (created, made.views, made.author) == (True, 2, ada)


async def test_a_reverse_manager_adds(ada, article):
    bob = await Author.objects.acreate(name="Bob")
    await bob.articles.aadd(article)

    assert await titles(bob.articles) == ["one"]
    assert await titles(ada.articles) == []


async def test_a_reverse_manager_of_a_nullable_key_removes_clears_and_sets(ada, article):
    other = await Article.objects.acreate(title="two", author=ada)

    await ada.edited.aset([article, other])
    assert await titles(ada.edited) == ["one", "two"]
    await ada.edited.aremove(article)
    assert await titles(ada.edited) == ["two"]
    await ada.edited.aclear(bulk=False)
    assert await titles(ada.edited) == []


async def test_a_reverse_manager_updates_and_deletes_through_its_queryset(ada, article):
    assert await ada.articles.all().aupdate(views=7) == 1
    assert await ada.articles.filter(views=7).adelete() == (1, {"testapp.Article": 1})


async def test_a_many_to_many_manager_adds_removes_sets_and_clears(article, tags):
    x, y, z = tags
    await article.tags.aadd(x, y.pk)
    assert await names(article.tags) == ["x", "y"]
    await article.tags.aremove(x)
    assert await names(article.tags) == ["y"]
    await article.tags.aset([x, z])
    assert await names(article.tags) == ["x", "z"]
    await article.tags.aset([z], clear=True)
    assert await names(article.tags) == ["z"]
    await article.tags.aclear()
    assert await names(article.tags) == []


async def test_a_many_to_many_manager_creates(article):
    made = await article.tags.acreate(name="new")
    got = await article.tags.aget_or_create(name="new")
    other = await article.tags.aget_or_create(name="other")
    updated = await article.tags.aupdate_or_create(name="other", defaults={"name": "renamed"})

    assert (got, other[1], updated) == ((made, False), True, (other[0], False))
    assert await names(article.tags) == ["new", "renamed"]


async def test_the_other_side_of_a_many_to_many_relation_has_the_same_methods(article, tags):
    await tags[0].articles.aadd(article)

    assert await tags[0].articles.alist() == [article]
    assert await names(article.tags) == ["x"]
    await tags[0].articles.aset([])
    assert await names(article.tags) == []


async def test_through_defaults_reach_the_table_in_between():
    ann, ben = await Person.objects.abulk_create([Person(name="ann"), Person(name="ben")])
    await ann.friends.aadd(ben, through_defaults={"since": 1990})
    cid = await ann.friends.acreate(name="cid", through_defaults={"since": 1991})

    rows = Friendship.objects.filter(one=ann).order_by("since").values_list("other", "since")
    assert await rows.alist() == [(ben.pk, 1990), (cid.pk, 1991)]
    assert await names(ann.friends) == ["ben", "cid"]


async def test_changes_of_a_many_to_many_relation_send_their_signal(article, tags):
    seen = []

    def receiver(sender, action, pk_set, **kwargs):
        seen.append((action, pk_set))

    m2m_changed.connect(receiver, sender=Article.tags.through)
    try:
        await article.tags.aadd(tags[0])
        await article.tags.aremove(tags[0])
    finally:
        m2m_changed.disconnect(receiver, sender=Article.tags.through)

    pks = {tags[0].pk}
    assert seen == [
        *(("pre_add", pks), ("post_add", pks), ("pre_remove", pks), ("post_remove", pks)),
    ]


async def test_a_generic_manager_reads_and_writes(known_types, article):
    made = await article.comments.acreate(text="a")
    got = await article.comments.aget_or_create(text="a")
    other = await article.comments.aupdate_or_create(text="b", defaults={"text": "c"})
    loose = Comment(text="d")

    assert (got, other[1]) == ((made, False), True)
    await article.comments.aadd(loose, bulk=False)
    assert sorted([c.text async for c in article.comments.all()]) == ["a", "c", "d"]
    await article.comments.aremove(made)
    assert await article.comments.acount() == 2
    await article.comments.aset([loose])
    assert await article.comments.alist() == [loose]
    await article.comments.aclear()
    assert await Comment.objects.acount() == 0


@pytest.mark.commits
async def test_a_generic_manager_writes_when_its_content_type_is_not_known_yet(
    no_known_types, article
):
    made = await article.comments.acreate(text="a")

    assert await article.comments.alist() == [made]


async def test_a_generic_relation_is_fetched_when_its_content_type_is_not_known_yet(
    no_known_types, article
):
    assert await article.afetch("comments") == []


async def test_deleting_takes_generic_relations_along(known_types, article):
    await article.comments.acreate(text="a")

    assert await article.adelete() == (2, {"testapp.Comment": 1, "testapp.Article": 1})


async def test_select_related_follows_forward_and_reverse_one_to_one(ada, article):
    await Profile.objects.acreate(author=ada, bio="poet")

    with CaptureQueriesContext(connection) as queries:
        found = await Article.objects.select_related("author__profile").aget()
        profile = await Profile.objects.select_related("author").aget()

    assert (found.author.profile.bio, profile.author.name) == ("poet", "Ada")
    assert len(queries) == 2


async def test_prefetch_related_nests_over_every_kind_of_relation(known_types, ada, article, tags):
    await article.tags.aset(tags)
    await article.comments.acreate(text="hi")
    await Profile.objects.acreate(author=ada, bio="poet")
    lookups = (
        Prefetch("articles", Article.objects.filter(title="one"), to_attr="chosen"),
        Prefetch("chosen__tags", Tag.objects.exclude(name="y").order_by("-name")),
        *("chosen__comments__content_object", "profile"),
    )

    with CaptureQueriesContext(connection) as queries:
        author = await Author.objects.prefetch_related(*lookups).aget(name="Ada")

    chosen = author.chosen[0]
    assert [tag.name for tag in chosen.tags.all()] == ["z", "y", "x"][::2]
    assert [c.content_object for c in chosen.comments.all()] == [article]
    assert author.profile.bio == "poet"
    assert len(queries) >= 5


@pytest.mark.skipif(django.VERSION < (5, 0), reason="aprefetch_related_objects: Django 5.0")
async def test_aprefetch_related_objects_fills_instances(ada, article, request):
    from django.db.models import aprefetch_related_objects

    if "not redirected" in request.node.name:
        redirect.apply()
    await aprefetch_related_objects([ada], "articles__tags")

    assert list(ada.articles.all()) == [article]
    assert list(ada.articles.all()[0].tags.all()) == []


async def test_afetch_gives_a_forward_relation(article, ada):
    fresh = await Article.objects.aget()

    assert await fresh.afetch("author") == ada
    assert fresh.author == ada


async def test_afetch_gives_a_tuple_for_several_names(article, ada):
    fresh = await Article.objects.aget()

    assert await fresh.afetch("author", "editor", "tags") == (ada, None, [])


async def test_afetch_follows_a_path(article, ada):
    profile = await Profile.objects.acreate(author=ada)
    fresh = await Article.objects.aget()

    assert await fresh.afetch("author__profile") == profile
    assert await fresh.afetch("editor__profile") is None
    assert await fresh.afetch("author__articles") == [article]


async def test_afetch_loads_the_rest_of_a_path_behind_a_relation_to_many(ada, article, tags):
    await article.tags.aset(tags[:1])

    fetched = await ada.afetch("articles__tags")

    assert fetched == [article]
    assert [list(one.tags.all()) for one in fetched] == [tags[:1]]


async def test_afetch_prefetches_a_relation_to_many(ada, article):
    fetched = await ada.afetch("articles")

    assert fetched == [article]
    assert list(ada.articles.all()) == [article]


async def test_afetch_of_what_is_loaded_asks_nothing(article, ada):
    fresh = await Article.objects.select_related("author").prefetch_related("tags").aget()

    with CaptureQueriesContext(connection) as queries:
        assert await fresh.afetch("author", "tags") == (ada, [])

    assert len(queries) == 0


async def test_afetch_gives_a_generic_relation_both_ways(known_types, article):
    comment = await article.comments.acreate(text="a")
    fresh = await Comment.objects.aget()

    assert await fresh.afetch("content_object") == article
    assert await article.afetch("comments") == [comment]


async def test_afetch_loads_a_deferred_field(article):
    fresh = await Article.objects.only("pk").aget()

    assert await fresh.afetch("title") == "one"
    assert fresh.title == "one"


async def test_afetch_of_a_missing_one_to_one_relation_raises_as_in_django(ada):
    with pytest.raises(Profile.DoesNotExist):
        await ada.afetch("profile")


async def test_afetch_of_an_unknown_name_raises_attribute_error(ada):
    with pytest.raises(AttributeError, match="nonsense"):
        await ada.afetch("nonsense")


async def test_afetch_without_a_name_raises_type_error(ada):
    with pytest.raises(TypeError, match="at least one attribute name"):
        await ada.afetch()


async def test_afetch_of_the_mixin_works(tags):
    ann = await Person.objects.acreate(name="ann")

    assert await ann.afetch("friends") == []


async def test_lazy_relations_work_in_the_bridge(article, ada):
    def read():
        fresh = Article.objects.get()
        return fresh.author.name, list(fresh.tags.all()), fresh.comments.count()

    assert await run_sync(read) == ("Ada", [], 0)
