"""Writing through querysets: options, conflicts, cascades, and Django's own errors."""

import asyncio

import django
import psycopg
import pytest
from django.db import DataError, IntegrityError, connection
from django.db.models import F, Sum, Value
from django.db.models.functions import Concat, Upper
from django.db.models.signals import post_delete, pre_delete
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Article, Author, Event, Profile, Restaurant, Shouted, Tag
from turbo_orm import atomic

pytestmark = pytest.mark.rolled_back


@pytest.fixture
async def tags():
    return await Tag.objects.abulk_create([Tag(name="x"), Tag(name="y")])


@pytest.fixture
async def ada():
    return await Author.objects.acreate(name="Ada", age=36)


async def tag_names():
    return await Tag.objects.order_by("pk").values_list("name", flat=True).alist()


async def test_acreate_honours_an_explicit_primary_key():
    made = await Author.objects.acreate(pk=77, name="Ada")

    assert made.pk == 77
    assert await Author.objects.values_list("pk", flat=True).aget() == 77


async def test_acreate_takes_expressions():
    made = await Author.objects.acreate(name=Upper(Value("ada")))
    await made.arefresh_from_db()

    assert made.name == "ADA"


async def test_acreate_writes_every_table_of_an_inherited_model():
    made = await Restaurant.objects.acreate(name="Chez", stars=3)

    assert await Restaurant.objects.values_list("pk", "name", "stars").alist() == [
        (made.pk, "Chez", 3)
    ]


async def test_acreate_honours_an_overridden_save():
    assert (await Shouted.objects.acreate(text="hey")).text == "HEY"
    assert (await Shouted.objects.aget_or_create(text="ho"))[0].text == "HO"
    assert (await Shouted.objects.aupdate_or_create(text="hu"))[0].text == "HU"


async def test_abulk_create_inserts_in_batches():
    with CaptureQueriesContext(connection) as queries:
        await Tag.objects.abulk_create([Tag(name=str(n)) for n in range(5)], batch_size=2)

    assert len([q for q in queries if q["sql"].startswith("INSERT")]) == 3
    assert await tag_names() == ["0", "1", "2", "3", "4"]


async def test_abulk_create_can_ignore_conflicts(tags):
    await Tag.objects.abulk_create([Tag(name="x"), Tag(name="z")], ignore_conflicts=True)

    assert await tag_names() == ["x", "y", "z"]


@pytest.mark.commits
async def test_abulk_create_can_update_on_conflicts(tags):
    made = await Author.objects.abulk_create([Author(name="a"), Author(name="b")])
    made[0].name, made[1].name = "A", "B"
    again = await Author.objects.abulk_create(
        [Author(pk=made[0].pk, name="A", age=1), Author(pk=99, name="new")],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["name"],
    )

    assert [author.pk for author in again] == [made[0].pk, 99]
    assert await Author.objects.order_by("pk").values_list("name", "age").alist() == [
        *(("A", 0), ("b", 0)),
        ("new", 0),
    ]


@pytest.mark.commits
async def test_abulk_create_of_a_taken_value_raises_integrity_error_and_writes_nothing(tags):
    with pytest.raises(IntegrityError):
        await Tag.objects.abulk_create([Tag(name="z"), Tag(name="x")])

    assert await tag_names() == ["x", "y"]


async def test_abulk_update_writes_in_batches(tags):
    for tag in tags:
        tag.name *= 2

    with CaptureQueriesContext(connection) as queries:
        assert await Tag.objects.abulk_update(tags, ["name"], batch_size=1) == 2

    assert len([q for q in queries if q["sql"].startswith("UPDATE")]) == 2
    assert await tag_names() == ["xx", "yy"]


async def test_abulk_update_takes_expressions(tags):
    for tag in tags:
        tag.name = Concat("name", Value("!"))
    await Tag.objects.abulk_update(tags, ["name"])

    assert await tag_names() == ["x!", "y!"]


async def test_aupdate_takes_f_and_conditions_over_joins(ada):
    await Article.objects.acreate(title="one", author=ada, views=1)

    assert await Article.objects.filter(author__age=36).aupdate(views=F("views") + 10) == 1
    assert await Author.objects.filter(articles__views=11).aupdate(age=F("age") + 1) == 1
    assert await Author.objects.values_list("age", flat=True).aget() == 37


async def test_aupdate_reaches_the_table_of_the_parent():
    await Restaurant.objects.acreate(name="Chez", stars=1)

    assert await Restaurant.objects.aupdate(name="Bei", stars=2) == 1
    assert await Restaurant.objects.values_list("name", "stars").aget() == ("Bei", 2)


async def test_aupdate_of_the_manager_changes_every_row(tags):
    assert await Author.objects.aupdate(age=1) == 0
    assert await Tag.objects.filter(name="x").aupdate(name="X") == 1
    assert await tag_names() == ["X", "y"]


async def test_adelete_cascades_counts_and_sends_signals(ada):
    await Profile.objects.acreate(author=ada)
    article = await Article.objects.acreate(title="one", author=ada)
    await article.tags.acreate(name="x")
    seen = []

    def receiver(sender, instance, signal, **kwargs):
        seen.append((sender.__name__, signal is pre_delete))

    for signal in (pre_delete, post_delete):
        signal.connect(receiver, sender=Article)
    try:
        deleted = await Author.objects.filter(name="Ada").adelete()
    finally:
        for signal in (pre_delete, post_delete):
            signal.disconnect(receiver, sender=Article)

    assert deleted == (
        4,
        {
            "testapp.Profile": 1,
            "testapp.Article_tags": 1,
            "testapp.Article": 1,
            "testapp.Author": 1,
        },
    )
    assert seen == [("Article", True), ("Article", False)]
    assert await tag_names() == ["x"]


async def test_adelete_sets_null_where_the_model_says_so(ada):
    ed = await Author.objects.acreate(name="Ed")
    article = await Article.objects.acreate(title="one", author=ada, editor=ed)
    await ed.adelete()
    await article.arefresh_from_db()

    assert article.editor_id is None


async def test_adelete_of_the_manager_empties_the_table(tags):
    assert await Tag.objects.adelete() == (2, {"testapp.Tag": 2})


async def test_aget_or_create_resolves_callable_defaults(ada):
    made, created = await Author.objects.aget_or_create(name="New", defaults={"age": lambda: 5})

    assert (created, made.age) == (True, 5)


async def test_aget_or_create_in_many_tasks_makes_one_row():
    results = await asyncio.gather(*(Tag.objects.aget_or_create(name="one") for _ in range(8)))

    assert sum(created for _, created in results) == 1
    assert len({tag.pk for tag, _ in results}) == 1


async def test_aupdate_or_create_in_many_tasks_loses_no_update(ada):
    await asyncio.gather(
        *(
            Author.objects.aupdate_or_create(name="Ada", defaults={"age": F("age") + 1})
            for _ in range(8)
        )
    )

    assert await Author.objects.values_list("age", flat=True).aget() == 44


@pytest.mark.skipif(django.VERSION < (5, 0), reason="create_defaults came with Django 5.0")
async def test_aupdate_or_create_uses_create_defaults_only_to_create(ada):
    options = {"defaults": {"age": 1}, "create_defaults": {"age": 2}}

    updated = await Author.objects.aupdate_or_create(name="Ada", **options)
    made = await Author.objects.aupdate_or_create(name="New", **options)

    assert [(author.age, created) for author, created in (updated, made)] == [(1, False), (2, True)]


@pytest.mark.commits
async def test_writes_through_another_alias_go_there():
    await Tag.objects.using("other").acreate(name="there")
    await Tag.objects.using("other").abulk_create([Tag(name="too")])

    assert await Tag.objects.acount() == 0
    assert await Tag.objects.using("other").acount() == 2


@pytest.mark.commits
@pytest.mark.parametrize(
    ("write", "error"),
    [
        (lambda: Tag.objects.acreate(name="x"), IntegrityError),
        (lambda: Profile.objects.acreate(author_id=12345), IntegrityError),
        (lambda: Event.objects.acreate(name="no dates"), IntegrityError),
        (lambda: Tag.objects.acreate(name="x" * 51), DataError),
        (lambda: Author.objects.acreate(name="a", age=2**31), DataError),
        (lambda: Author.objects.aupdate(age=F("age") / 0), DataError),
    ],
)
async def test_errors_are_djangos_with_psycopgs_as_their_cause(tags, ada, write, error):
    with pytest.raises(error) as raised:
        await write()

    assert type(raised.value) is error
    assert isinstance(raised.value.__cause__, psycopg.Error)


async def test_after_an_error_inside_a_nested_block_the_outer_block_goes_on(tags):
    async with atomic():
        with pytest.raises(IntegrityError):
            async with atomic():
                await Tag.objects.acreate(name="x")
        await Tag.objects.acreate(name="z")

    assert await tag_names() == ["x", "y", "z"]


@pytest.mark.commits
async def test_after_an_error_outside_a_block_the_next_statement_works(tags):
    with pytest.raises(IntegrityError):
        await Tag.objects.acreate(name="x")

    assert await tag_names() == ["x", "y"]


async def test_aaggregate_over_annotations_counts_what_was_written(ada):
    for views in (1, 2, 3):
        await Article.objects.acreate(title=str(views), author=ada, views=views)
    doubled = Article.objects.annotate(double=F("views") * 2)

    assert await doubled.aaggregate(n=Sum("double", default=0)) == {"n": 12}


@pytest.mark.skipif(django.VERSION < (5, 0), reason="db_default came with Django 5.0")
async def test_what_the_database_computes_can_be_read_after_an_insert():
    from tests.testapp.models import Computed

    made = await Computed.objects.acreate()
    several = await Computed.objects.abulk_create([Computed(), Computed(number=5)])
    await made.arefresh_from_db()

    assert (made.number, made.double) == (7, 14)
    assert await Computed.objects.order_by("pk").values_list("pk", "double").alist() == [
        *((made.pk, 14), (several[0].pk, 14)),
        (several[1].pk, 10),
    ]
