"""Documents that are parsed and validated once."""

import graphql.language.parser
import graphql.validation
import pytest
from strawberry.extensions import AddValidationRules, MaxTokensLimiter

import strawberry
from tests.strawberry.common import data, schema
from turbo_orm_strawberry import TurboExtension, guards
from turbo_orm_strawberry.documents import LONGEST, documents_of

asked = []


@strawberry.type
class Query:
    @strawberry.field
    def double(self, number: int) -> int:
        return number * 2


class Rule(graphql.validation.ValidationRule):
    """Of the project's: notes each document."""

    def enter_field(self, node, *_):
        asked.append(node.name.value)


class Rules(AddValidationRules):
    def __init__(self, **kwargs):
        super().__init__([Rule])


@pytest.fixture
def work(monkeypatch):
    """What is parsed, and by how many rules it is validated."""
    from strawberry.schema import schema as module

    found = []
    parse, validate = module.parse, module.validate

    def parsed(source, **options):
        found.append("parsed")
        return parse(source, **options)

    def validated(built, document, rules):
        found.append(f"validated by {len(rules)}")
        return validate(built, document, rules)

    monkeypatch.setattr(module, "parse", parsed)
    monkeypatch.setattr(module, "validate", validated)
    return found


QUERY = "query Q($n: Int!) { double(number: $n) }"


async def test_a_document_is_parsed_and_validated_once_whatever_its_variables(work):
    built = schema(Query)

    found = [await data(built, QUERY, variable_values={"n": n}) for n in (1, 2, 3)]

    assert found == [{"double": 2}, {"double": 4}, {"double": 6}]
    assert len(work) == 2


async def test_rules_of_the_project_are_asked_every_time(work):
    built = schema(Query, extensions=[Rules])
    asked.clear()

    for _ in range(3):
        await data(built, QUERY, variable_values={"n": 1})

    assert asked == ["double"] * 3
    # Its own and strawberry's two.
    assert work[2:] == ["validated by 3"] * 2


async def test_a_document_that_is_not_valid_is_refused_every_time():
    built = schema(Query)

    for _ in range(3):
        result = await built.execute("{ nosuch }")
        assert "Cannot query field 'nosuch'" in result.errors[0].message


async def test_a_syntax_error_is_an_error_every_time():
    built = schema(Query)

    for _ in range(3):
        assert "Syntax Error" in (await built.execute("{ double(")).errors[0].message


async def test_options_of_the_parser_make_another_document():
    built = schema(Query)
    limited = strawberry.Schema(
        Query, extensions=[lambda: MaxTokensLimiter(max_token_count=3), TurboExtension]
    )

    assert await data(built, QUERY, variable_values={"n": 1}) == {"double": 2}
    assert (await limited.execute(QUERY, {"n": 1})).errors


async def test_so_many_are_remembered_and_the_oldest_is_forgotten(work):
    built = schema(Query, turbo=lambda: TurboExtension(max_documents=2))
    first, second, third = (f"{{ double(number: {n}) }}" for n in (1, 2, 3))

    for query in (first, second, first, third, first):
        await data(built, query)
    assert work.count("parsed") == 3
    await data(built, second)
    assert work.count("parsed") == 4
    assert len(documents_of(built)._known) == 2


async def test_none_is_remembered_if_so_told(work):
    built = schema(Query, turbo=lambda: TurboExtension(max_documents=0))

    for _ in range(2):
        await data(built, QUERY, variable_values={"n": 1})

    assert work.count("parsed") == 2


async def test_a_very_long_one_is_not_remembered(work):
    query = "{ double(number: 1) }" + " " * LONGEST
    built = schema(Query)

    for _ in range(2):
        await data(built, query)

    assert work.count("parsed") == 2


async def test_schemas_do_not_share_what_they_know():
    @strawberry.type(name="Query")
    class Other:
        @strawberry.field
        def single(self) -> int:
            return 1

    assert await data(schema(Other), "{ single }") == {"single": 1}
    result = await schema(Query).execute("{ single }")
    assert "Cannot query field" in result.errors[0].message


async def test_guards_hold_for_documents_that_are_known():
    built = schema(Query, extensions=guards(max_aliases=1))
    query = "{ a: double(number: 1) b: double(number: 1) }"

    for _ in range(3):
        assert "aliases" in (await built.execute(query)).errors[0].message
