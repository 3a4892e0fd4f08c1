"""The guards visit each selection set of a document once, and hold against any document."""

import pytest
from graphql import FieldNode, parse, validate
from strawberry.extensions.max_aliases import count_fields_with_alias
from strawberry.extensions.query_depth_limiter import determine_depth, get_fragments
from strawberry.types import ExecutionContext
from strawberry_django.relay import DjangoListConnection

import strawberry
import turbo_orm_strawberry as turbo
from strawberry import relay
from tests.strawberry.common import schema
from tests.strawberry.documents import Generator, Grammar, Paths
from tests.testapp import models
from tests.thorough import cases
from turbo_orm_strawberry import DocumentLimiter, guards
from turbo_orm_strawberry.guards.document import ShapeWalk, measure
from turbo_orm_strawberry.guards.estimate import Estimate
from turbo_orm_strawberry.guards.overlaps import overlaps_in

pytestmark = pytest.mark.rolled_back


@turbo.type(models.Tag, pagination=True, name="WalkedTag")
class Tag:
    name: strawberry.auto
    articles: list["Article"]


@turbo.type(models.Article, pagination=True, name="WalkedArticle")
class Article:
    title: strawberry.auto
    tags: list[Tag]


@turbo.type(models.Article, name="WalkedNode")
class Node(relay.Node):
    title: strawberry.auto
    tags: list[Tag]


@strawberry.type
class Query:
    articles: list[Article] = turbo.field()
    nodes: DjangoListConnection[Node] = turbo.connection()

    @strawberry.field
    def again(self) -> "Query":
        return Query(articles=models.Article.objects.all(), nodes=models.Article.objects.all())

    @strawberry.field
    def hello(self) -> str:
        return "hello"


BUILT = schema(Query, extensions=guards())
UNGUARDED = schema(Query)
PAGES = ["", "(pagination: {limit: 2})", "(pagination: {limit: 7})", "(pagination: {offset: 1})"]
GRAMMAR = Grammar(
    leaves={
        "Query": ["hello"],
        "WalkedArticle": ["title"],
        "WalkedTag": ["name"],
        "WalkedNodeConnection": ["totalCount"],
        "WalkedNodeEdge": ["cursor"],
        "WalkedNode": ["title", "id"],
    },
    branches={
        "Query": {"articles": "WalkedArticle", "again": "Query", "nodes": "WalkedNodeConnection"},
        "WalkedArticle": {"tags": "WalkedTag"},
        "WalkedTag": {"articles": "WalkedArticle"},
        "WalkedNodeConnection": {"edges": "WalkedNodeEdge"},
        "WalkedNodeEdge": {"node": "WalkedNode"},
        "WalkedNode": {"tags": "WalkedTag"},
    },
    arguments={
        "articles": PAGES,
        "tags": PAGES,
        "nodes": ["", "(first: 3)", "(last: 5)", "(first: 2, last: 4)"],
    },
)


def written(seed, **options):
    return Generator(GRAMMAR, seed, **options).document()


def estimate_of(document, variables=None):
    context = ExecutionContext(None, BUILT, (), variables=variables)
    context.graphql_document = parse(document)
    return Estimate(context, None, None)


def size(node: FieldNode, field):
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    if "first" in field.args:
        return max(
            (int(given[name].value) for name in ("first", "last") if name in given), default=100
        )
    if "pagination" not in field.args:
        return None
    fields = given["pagination"].fields if given else []
    return next((int(each.value.value) for each in fields if each.name.value == "limit"), 100)


def test_nodes_are_those_that_following_every_path_finds():
    found = set()
    for seed in range(cases(100, 2000)):
        text = written(seed)
        document = parse(text)
        assert validate(BUILT._schema, document) == [], text

        nodes = estimate_of(text).nodes()

        assert nodes == Paths(document, BUILT._schema, size).nodes(), text
        found.add(nodes)
    # Otherwise the documents would show nothing.
    assert len(found) > 20


def test_depth_and_aliases_are_those_of_strawberrys_own_limiters():
    found = set()
    for seed in range(cases(100, 2000)):
        text = written(seed)
        document = parse(text)
        fragments = get_fragments(document.definitions)

        walk = ShapeWalk(document)
        shape = walk.of(document.definitions[0].selection_set)

        depth = determine_depth(document.definitions[0], fragments, 0, 10_000, None, "Q", None)
        assert (shape.depth, text) == (depth, text)
        assert shape.aliases == count_fields_with_alias(document.definitions[0], fragments)
        found.add(shape)
    assert len(found) > 20


def chain(links, link, end="hello"):
    """Return a document with a chain of fragments, each of which has the next one twice."""
    fragments = [
        f"fragment f{n} on Query {{{link.replace('NEXT', f'...f{n + 1}')}}}" for n in range(links)
    ]
    return " ".join(["{...f0}", *fragments, f"fragment f{links} on Query {{{end}}}"])


PAGE = "articles(pagination: {limit: 1}) { title }"
BOMBS = {
    "spread twice": (chain(60, "NEXT NEXT"), None),
    "spread twice, with pages": (chain(60, "NEXT NEXT", PAGE), None),
    "in inline fragments": (chain(60, "... {NEXT} ... {NEXT}"), None),
    "in inline fragments, with pages": (chain(60, "... {NEXT} ... {NEXT}", PAGE), "nodes"),
    "in two fields": (chain(40, "again {NEXT} b: again {NEXT}"), "depth"),
    "in one field": (chain(40, "again {NEXT} again {NEXT}"), "depth"),
    "with aliases": (chain(60, "... {NEXT} ... {NEXT}", "x: hello"), "aliases"),
    "nested": ("{again" * 100 + "{hello}" + "}" * 100, "depth"),
    "nested twice": ("{again{hello} again" * 90 + "{hello}" + "}" * 90, "depth"),
    "one leaf again and again": ("{" + "hello " * 900 + "}", "response name"),
    "one field again and again": ("{" + "again {hello} " * 200 + "}", "response name"),
    "many fields in many fields": (
        "{" + ("again {" + "again {hello} " * 14 + "}") * 14 + "}",
        "response name",
    ),
    "one fragment inside itself": ("{...a} fragment a on Query {hello ...a}", "itself"),
    "two fragments inside each other": (
        "{...a} fragment a on Query {again {...b}} fragment b on Query {again {...a}}",
        "itself",
    ),
    "a fragment that is not there": ("{hello ...a}", "Unknown fragment"),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_document_made_to_take_for_ever_is_answered(name):
    document, part = BOMBS[name]

    result = await BUILT.execute(document)

    messages = " ".join(error.message for error in result.errors or ())
    if part is None:
        assert messages == ""
        assert set(result.data) <= {"hello", "articles"}
    else:
        assert part in messages
        assert all(error.original_error is None for error in result.errors)


@pytest.mark.parametrize("name", BOMBS)
def test_each_selection_set_is_visited_once(name):
    document, _ = BOMBS[name]
    sets = document.count("{") - document.count("{limit")
    parsed = parse(document)

    walk = ShapeWalk(parsed)
    walk.of(parsed.definitions[0].selection_set)
    estimate = estimate_of(document)
    estimate.nodes()

    assert walk.visited <= sets
    # Each is selected on one type here.
    assert estimate.visited <= sets


def test_nesting_does_not_exhaust_the_stack():
    # The parser refuses to nest so deep, but fragments may.
    document = parse(chain(1_000, "again {NEXT}"))

    assert measure(document, 10_000).depths == {"anonymous": 1_000}


OVERLAPS = [
    ("{hello}", 0),
    ("{hello again {hello}}", 0),
    ("{hello hello}", 1),
    ("{a: hello b: hello}", 0),
    ("{a: hello a: hello hello}", 1),
    ("{again {hello} again {hello}}", 2),
    ("{again {hello} again {hello} again {hello}}", 6),
    ("{hello ... {hello ... on Query {hello}}}", 3),
    ("{...f ...g} fragment f on Query {hello} fragment g on Query {hello}", 2),
    ("{...f ...f} fragment f on Query {hello}", 0),
    # Once alone, and once together with the other.
    ("{again {...f} ...f} fragment f on Query {again {hello} again {hello}}", 9),
]


@pytest.mark.parametrize(("document", "expected"), OVERLAPS)
def test_overlaps_are_pairs_of_fields_with_one_name_at_one_place(document, expected):
    # So few selections are not worth a pair.
    assert overlaps_in(parse(document), 1_000) == pytest.approx(expected, abs=4)


async def test_a_document_that_is_known_is_measured_once(monkeypatch):
    from turbo_orm_strawberry.guards import limiter

    measured = []
    monkeypatch.setattr(
        limiter, "measure", lambda *given: measured.append(given) or measure(*given)
    )
    built = schema(Query, extensions=guards())

    for _ in range(3):
        assert (await built.execute("{ hello }")).errors is None
    built.execute_sync("{ hello }")
    assert len((await built.execute("{" + "hello " * 300 + "}")).errors) == 1

    assert len(measured) == 2


async def test_a_document_that_is_refused_is_not_validated(monkeypatch):
    from strawberry.extensions import ValidationCache
    from strawberry.schema import schema as module

    validated = []
    monkeypatch.setattr(
        module, "validate", lambda schema, document, rules: validated.append(rules) or []
    )
    for around in ([], [ValidationCache]):
        built = schema(Query, extensions=[lambda: DocumentLimiter(max_depth=0), *around])
        for run in range(2):
            result = await built.execute("{ again { hello } }")
            assert [error.message for error in result.errors] == [
                "'anonymous' exceeds maximum operation depth of 0"
            ], run

    assert not any(len(rules) > 2 for rules in validated)


def test_documents_are_refused_in_synchronous_execution_too():
    result = BUILT.execute_sync(BOMBS["nested"][0])

    assert [error.message for error in result.errors] == [
        "'anonymous' exceeds maximum operation depth of 10"
    ]


async def test_any_document_gets_an_answer_or_an_error():
    answers = []
    for seed in range(cases(60, 2000)):
        document = written(seed, is_valid=seed % 2)

        with_guards = await BUILT.execute(document)

        errors = with_guards.errors or []
        if any(error.original_error for error in errors):
            # Older releases of strawberry do not know `... { }` without a type.
            without_guards = await UNGUARDED.execute(document)
            assert {error.message for error in errors} == {
                error.message for error in without_guards.errors
            }, document
        answers.append(not errors)
    assert any(answers)
    assert not all(answers)
