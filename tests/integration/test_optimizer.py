"""Paths of attributes become joins, prefetches and columns; reading them then asks nothing."""

import pickle
import re

import pytest
from django.db.models import Count, Prefetch
from django.db.models.signals import post_init

from tests.fetching import asked, fill, fill_more
from tests.testapp.models import (
    Article,
    Author,
    Comment,
    Measure,
    Note,
    Person,
    Place,
    Plain,
    Profile,
    Reading,
    Restaurant,
    Tag,
)
from turbo_orm import run_sync
from turbo_orm.query import optimize, prefetch
from turbo_orm.query.optimizer import needs, relations

pytestmark = pytest.mark.rolled_back


def columns(sql):
    """Return the columns that a statement selects, without quotes."""
    selected = sql[len("SELECT ") : sql.index(" FROM ")]
    return re.sub(r'["()]', "", selected).split(", ")


TREE = (
    "title",
    "author.name",
    "author.profile.bio",
    "tags.name",
    "tags.articles.title",
    "comments.text",
)


def read_tree(queryset):
    return [
        (
            article.title,
            article.author.name,
            article.author.profile.bio,
            # They have no order.
            sorted(
                (tag.name, sorted(other.title for other in tag.articles.all()))
                for tag in article.tags.all()
            ),
            sorted(comment.text for comment in article.comments.all()),
        )
        for article in queryset
    ]


async def test_a_tree_takes_as_many_queries_for_many_rows_as_for_one():
    await fill(1)
    _, for_one = await asked(lambda: read_tree(optimize(Article.objects.all(), TREE)))
    await fill_more(1, 7)

    rows, for_many = await asked(lambda: read_tree(optimize(Article.objects.all(), TREE)))
    plain = await run_sync(read_tree, Article.objects.all())

    assert (len(for_one), len(for_many), len(rows)) == (4, 4, 7)
    assert rows == plain


async def test_only_what_is_read_is_selected():
    await fill(1)

    _, statements = await asked(lambda: read_tree(optimize(Article.objects.all(), TREE)))

    assert [sorted(columns(sql)) for sql in statements] == [
        [
            "testapp_article.author_id",
            "testapp_article.id",
            "testapp_article.title",
            "testapp_author.id",
            "testapp_author.name",
            "testapp_profile.author_id",
            "testapp_profile.bio",
            "testapp_profile.id",
        ],
        [
            "testapp_article_tags.article_id AS _prefetch_related_val_article_id",
            "testapp_tag.id",
            "testapp_tag.name",
        ],
        [
            "testapp_article.id",
            "testapp_article.title",
            "testapp_article_tags.tag_id AS _prefetch_related_val_tag_id",
        ],
        [
            "testapp_comment.content_type_id",
            "testapp_comment.id",
            "testapp_comment.object_id",
            "testapp_comment.text",
        ],
    ]


READS = {
    "foreign key": (Article, ("author.name",), lambda a: a.author.name, 1),
    "foreign key, the object": (Article, ("author",), lambda a: (a.author.name, a.author.age), 1),
    "foreign key, its column": (Article, ("author_id",), lambda a: a.author_id, 1),
    "foreign key that may be empty": (
        Article,
        ("title", "editor.name"),
        lambda a: a.editor and a.editor.name,
        1,
    ),
    "primary key by another name": (Article, ("pk",), lambda a: a.pk, 1),
    "one-to-one": (Profile, ("author.name",), lambda p: p.author.name, 1),
    "one-to-one, reverse": (Author, ("profile.bio",), lambda a: a.profile.bio, 1),
    "foreign key, reverse": (
        Author,
        ("name", "articles.title"),
        lambda a: [x.title for x in a.articles.all()],
        2,
    ),
    "foreign key, reverse, and back": (
        Author,
        ("articles.author.name",),
        lambda a: [x.author.name for x in a.articles.all()],
        2,
    ),
    "many-to-many": (Article, ("tags.name",), lambda a: [t.name for t in a.tags.all()], 2),
    "many-to-many, keys only": (Article, ("tags.pk",), lambda a: [t.pk for t in a.tags.all()], 2),
    "many-to-many, reverse": (
        Tag,
        ("articles.author.name",),
        lambda t: [a.author.name for a in t.articles.all()],
        2,
    ),
    "generic relation": (
        Article,
        ("comments.text",),
        lambda a: [c.text for c in a.comments.all()],
        2,
    ),
    "generic foreign key": (Comment, ("content_object",), lambda c: c.content_object.title, 2),
    "property and method": (Article, ("title", "__str__"), str, 1),
    "many beyond one": (
        Profile,
        ("author.articles.title",),
        lambda p: [a.title for a in p.author.articles.all()],
        2,
    ),
}


@pytest.mark.commits
@pytest.mark.parametrize("case", READS)
async def test_each_kind_of_relation_is_read_without_another_query(case):
    model, paths, read, queries = READS[case]
    await fill(3)

    def run(queryset):
        return [read(row) for row in queryset.order_by("pk")]

    expected = await run_sync(run, model.objects.all())
    rows, statements = await asked(lambda: run(optimize(model.objects.all(), paths)))

    assert (rows, len(statements)) == (expected, queries)


@pytest.mark.commits
async def test_one_to_one_with_nothing_at_the_other_end_is_known_to_be_empty():
    await Author.objects.acreate(name="alone")

    def read():
        return [hasattr(row, "profile") for row in optimize(Author.objects.all(), ["profile.bio"])]

    rows, statements = await asked(read)

    assert (rows, len(statements)) == ([False], 1)


async def test_a_key_that_is_no_primary_key_is_loaded_on_both_sides():
    for number in range(3):
        key = f"00000000-0000-0000-0000-00000000000{number}"
        measure = await Measure.objects.acreate(key=key, raw=b"x")
        await Reading.objects.acreate(measure=measure, value=number)

    def read_down():
        measures = optimize(Measure.objects.all(), ["colour", "readings.value"])
        return [[r.value for r in m.readings.all()] for m in measures]

    def read_up():
        readings = optimize(Reading.objects.all(), ["value", "measure.colour"])
        return [(r.value, r.measure.colour) for r in readings]

    down, of_down = await asked(read_down)
    up, of_up = await asked(read_up)

    assert (down, len(of_down)) == ([[0], [1], [2]], 2)
    assert (up, len(of_up)) == ([(0, "red"), (1, "red"), (2, "red")], 1)


async def test_inherited_tables_are_read_from_both_ends():
    await Restaurant.objects.acreate(name="one", stars=1)
    await Restaurant.objects.acreate(name="two", stars=2)

    def read_child():
        rows = optimize(Restaurant.objects.order_by("pk"), ["name", "stars"])
        return [(r.name, r.stars) for r in rows]

    def read_parent():
        rows = optimize(Place.objects.order_by("pk"), ["name", "restaurant.stars"])
        return [(p.name, p.restaurant.stars) for p in rows]

    child, of_child = await asked(read_child)
    parent, of_parent = await asked(read_parent)

    assert (child, len(of_child)) == ([("one", 1), ("two", 2)], 1)
    assert (parent, len(of_parent)) == ([("one", 1), ("two", 2)], 2)


async def test_querysets_of_djangos_own_are_served_too():
    parent = await Plain.objects.acreate(name="parent")
    for number in range(3):
        child = await Plain.objects.acreate(name=f"child{number}", parent=parent)
        await Note.objects.acreate(text=f"note{number}", content_object=child)

    def read():
        rows = optimize(
            Plain.objects.filter(parent__isnull=False).order_by("pk"),
            ["parent.name", "children.name", "notes.text"],
        )
        return [
            (
                row.parent.name,
                [c.name for c in row.children.all()],
                [n.text for n in row.notes.all()],
            )
            for row in rows
        ]

    rows, statements = await asked(read)

    assert rows == [("parent", [], [f"note{n}"]) for n in range(3)]
    assert len(statements) == 3


async def test_relations_without_an_accessor_are_no_obstacle():
    people = [await Person.objects.acreate(name=n) for n in "ab"]
    await people[0].friends.aadd(people[1], through_defaults={"since": 1})

    def read():
        rows = optimize(Person.objects.order_by("pk"), ["name", "friends.name"])
        return [[f.name for f in row.friends.all()] for row in rows]

    rows, statements = await asked(read)

    assert (rows, len(statements)) == ([["b"], ["a"]], 2)


def asked_for(queryset):
    """Return what a queryset is told to fetch."""
    return (
        queryset.query.select_related,
        queryset.query.deferred_loading,
        tuple(
            getattr(lookup, "prefetch_to", lookup) for lookup in queryset._prefetch_related_lookups
        ),
    )


def all_joined():
    """Return what `select_related()` without arguments gives, of which Django 6.1 warns."""
    queryset = Article.objects.all()
    queryset.query.select_related = True
    return queryset


NOTHING = (frozenset(), True)
WISHES = {
    "select_related": (
        lambda: Article.objects.select_related("author"),
        (
            {"author": {}},
            NOTHING,
            ("author", "author__profile", "comments", "tags", "tags__articles"),
        ),
    ),
    "all of select_related": (
        all_joined,
        (
            True,
            NOTHING,
            ("author", "author__profile", "comments", "tags", "tags__articles"),
        ),
    ),
    "prefetch_related": (
        lambda: Article.objects.prefetch_related("tags"),
        (
            False,
            NOTHING,
            ("tags", "author", "author__profile", "comments", "tags", "tags__articles"),
        ),
    ),
    "only": (
        lambda: Article.objects.only("title"),
        (False, (frozenset({"title"}), False), ("comments", "tags", "tags__articles")),
    ),
    "defer": (
        lambda: Article.objects.defer("views"),
        (
            False,
            (frozenset({"views"}), True),
            ("author", "author__profile", "comments", "tags", "tags__articles"),
        ),
    ),
    "select_for_update": (
        lambda: Article.objects.select_for_update(),
        (False, NOTHING, ("author", "author__profile", "comments", "tags", "tags__articles")),
    ),
    "values": (lambda: Article.objects.values("title"), (False, NOTHING, ())),
    "values_list": (lambda: Article.objects.values_list("title"), (False, NOTHING, ())),
    "union": (
        lambda: Article.objects.filter(pk=1).union(Article.objects.filter(pk=2)),
        (False, NOTHING, ()),
    ),
}


@pytest.mark.parametrize("wish", WISHES)
async def test_what_a_queryset_was_told_before_stays(wish):
    make, expected = WISHES[wish]

    assert asked_for(optimize(make(), TREE)) == expected


async def test_a_prefetch_of_the_users_own_is_the_one_that_counts():
    await fill(2)
    chosen = Prefetch("tags", Tag.objects.filter(name="tag1"))

    def read():
        rows = optimize(Article.objects.prefetch_related(chosen), ["title", "tags.articles.title"])
        return [[(t.name, len(t.articles.all())) for t in row.tags.all()] for row in rows]

    rows, statements = await asked(read)

    assert (rows, len(statements)) == ([[("tag1", 2)], [("tag1", 2)]], 3)


async def test_rows_that_were_fetched_before_are_left_alone():
    await fill(1)
    queryset = Article.objects.all()
    await queryset.alist()

    assert optimize(queryset, TREE) is queryset


async def test_no_paths_say_nothing_about_what_is_read():
    queryset = Article.objects.all()

    assert optimize(queryset, []) is queryset


async def test_annotations_stay_and_are_no_reason_to_load_more():
    await fill(2)

    def read():
        rows = optimize(
            Article.objects.annotate(number=Count("tags")).order_by("title"),
            ["title", "number", "author.name"],
        )
        return [(row.title, row.number, row.author.name) for row in rows]

    rows, statements = await asked(read)

    assert rows == [("title0", 3, "author0"), ("title1", 3, "author1")]
    assert len(statements) == 1
    assert "metadata" not in statements[0].partition(" FROM ")[0]


async def test_what_is_no_field_keeps_every_column_of_what_is_related_too():
    queryset = optimize(Article.objects.all(), ["title", "author.name", "tags.name", "summary"])

    assert asked_for(queryset) == ({"author": {}}, NOTHING, ("tags",))


@pytest.mark.commits
async def test_code_that_sees_each_new_instance_finds_every_column():
    def look(instance, **kwargs):
        assert instance.get_deferred_fields() == set()

    await fill(1)

    def forget():
        relations.forget()
        needs.need_of.cache_clear()

    post_init.connect(look, sender=Author)
    forget()
    try:
        rows = await optimize(Article.objects.all(), ["title", "author.name"]).alist()
        names = await optimize(Author.objects.all(), ["name"]).alist()
    finally:
        post_init.disconnect(look, sender=Author)
        forget()

    assert [row.author.name for row in rows] == [row.name for row in names] == ["author0"]
    assert rows[0].get_deferred_fields() == {
        "created",
        "editor_id",
        "is_published",
        "metadata",
        "views",
    }


async def test_slices_orders_and_filters_stay():
    await fill(4)
    queryset = Article.objects.filter(pk__gt=1).order_by("-title")[1:3]

    rows = await optimize(queryset, ["title", "author.name"]).alist()

    assert [(row.title, row.author.name) for row in rows] == [
        ("title2", "author2"),
        ("title1", "author1"),
    ]


async def test_the_chain_stays_recorded():
    await fill(1)

    queryset = optimize(Article.objects.filter(pk=1), ["title", "author.name"])

    assert queryset._record is not None


async def test_objects_that_are_there_get_what_they_lack():
    await fill(3)
    rows = await Article.objects.all().alist()

    def read():
        prefetch(rows, TREE)
        return read_tree(rows)

    read_rows, statements = await asked(read)

    assert read_rows == await run_sync(read_tree, Article.objects.all())
    assert len(statements) == 5


async def test_a_single_object_is_given_only_what_would_be_asked_for_per_row():
    await fill(3)
    article = await Article.objects.afirst()

    _, early = await asked(lambda: prefetch([article], ["author.name", "tags.name"]))
    _, late = await asked(lambda: prefetch([article], ["author.name", "tags.articles.title"]))

    assert (early, len(late)) == ([], 2)


async def test_nothing_is_fetched_for_no_objects():
    assert await asked(lambda: prefetch([], TREE)) == (None, [])


def test_it_works_where_no_loop_runs():
    author = Author.objects.create(name="ada")
    Article.objects.create(title="one", author=author).tags.add(Tag.objects.create(name="x"))

    rows = list(optimize(Article.objects.all(), ["title", "author.name", "tags.name"]))

    assert [(a.title, a.author.name, [t.name for t in a.tags.all()]) for a in rows] == [
        ("one", "ada", ["x"])
    ]


async def test_an_optimised_queryset_is_streamed_and_pickled():
    await fill(3)
    queryset = optimize(Article.objects.all(), ["title", "tags.name"])

    streamed = [(row.title, len(row.tags.all())) async for row in queryset.aiterator()]
    copied = await run_sync(lambda: pickle.loads(pickle.dumps(queryset)))

    assert streamed == [(f"title{n}", 3) for n in range(3)]
    assert [row.title for row in copied] == ["title0", "title1", "title2"]
