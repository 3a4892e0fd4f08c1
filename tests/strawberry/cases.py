"""Operations whose results must not differ."""

import dataclasses
from typing import Any

EVERYTHING = """
    id title views isPublished metadata authorId
    author { name age profile { bio } articles { title } edited { title } }
    editor { name profile { bio } }
    tags { name articles { title author { name } } }
"""
PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@dataclasses.dataclass
class Case:
    """An operation, executed by both."""

    query: str
    variables: dict[str, Any] | None = None
    user: str | None = None
    # Whether an error ends synchronous execution before it has asked for everything: fields that
    # run side by side have asked by then.
    ends_early: bool = False

    @property
    def document(self) -> str:
        return self.query.replace("PAGE", PAGE).replace("EVERYTHING", EVERYTHING)


CASES = {
    "a list": Case("{ articles { id title views } }"),
    "everything": Case("{ articles { EVERYTHING } }"),
    "reverse relations": Case("{ authors { name articles { title tags { name } } } }"),
    "an annotation": Case("{ authors { name articleCount } }"),
    "an annotation inside a list": Case(
        "{ articles { title author { articleCount } } }", ends_early=True
    ),
    "a resolver that queries": Case("{ authors { name firstTitle } }"),
    "a resolver with hints": Case("{ authors { shout } articles { tagNames } }"),
    "a resolver that reads a relation": Case("{ articles { authorName } }"),
    "a deferred attribute": Case("{ deferred { name age } }"),
    "aliases and fragments": Case(
        "query { a: articles { ...F } b: articles(filters: {isPublished: {exact: false}})"
        " { ...F } } fragment F on ArticleType { title author { name } }"
    ),
    "one": Case("{ article(pk: 2) { title author { name } tags { name } } }"),
    "one that is missing": Case("{ article(pk: 99) { title } }"),
    "one that may be missing": Case("{ articleOrNone(pk: 99) { title } authors { name } }"),
    "filters": Case('{ articles(filters: {title: {iContains: "3"}}) { title } }'),
    "a filter over a relation": Case(
        '{ articles(filters: {author: {name: {exact: "author1"}}}) { title author { name } } }'
    ),
    "a filter over many": Case(
        '{ articles(filters: {tags: {name: {exact: "tag0"}}, DISTINCT: true}) { title } }'
    ),
    "a filter of the project's": Case('{ articles(filters: {words: "title1"}) { title } }'),
    "combined filters": Case(
        "{ articles(filters: {views: {gte: 10}, NOT: {isPublished: {exact: false}}}) { title } }"
    ),
    "an order": Case("{ articles(ordering: [{views: DESC}]) { title views } }"),
    "an order over a relation": Case(
        "{ articles(ordering: [{author: {age: DESC}}, {title: ASC}]) { title } }"
    ),
    "a page": Case("{ articles(pagination: {offset: 1, limit: 2}) { title tags { name } } }"),
    "nested pages, filters and orders": Case(
        "{ authors { name articles(pagination: {limit: 1}, ordering: [{views: DESC}],"
        " filters: {views: {gte: 0}}) { title tags(pagination: {limit: 1}) { name } } } }"
    ),
    "one of a relation to many": Case("{ articles { title oneTag { name } } }"),
    "an offset page": Case(
        "{ paginated(pagination: {offset: 1, limit: 2}) { totalCount"
        " pageInfo { offset limit } results { title author { name } } } }"
    ),
    "nested offset pages": Case(
        "{ articles { title pagedTags(pagination: {limit: 1}) { totalCount results { name } } } }"
    ),
    "a node": Case('{ node(id: "QXV0aG9yTm9kZToy") { id ... on AuthorNode { name age } } }'),
    "nodes": Case(
        '{ nodes(ids: ["QXV0aG9yTm9kZToy", "QXJ0aWNsZU5vZGU6MQ=="]) { id'
        " ... on AuthorNode { name } ... on ArticleNode { title author { name } } } }"
    ),
    "a node that is missing": Case('{ authorNode(id: "QXV0aG9yTm9kZTo5OQ==") { name } }'),
    "a node of another type": Case('{ node(id: "Tm90aGluZzox") { id } }'),
    "a connection": Case(
        "{ articleConnection(first: 2) { totalCount PAGE edges { cursor node"
        " { id title author { name } tags { name } } } } }"
    ),
    "a connection, next page": Case(
        '{ articleConnection(first: 2, after: "YXJyYXljb25uZWN0aW9uOjE=")'
        " { PAGE edges { node { title } } } }"
    ),
    "a connection, from the end": Case(
        "{ articleConnection(last: 2) { totalCount PAGE edges { node { title } } } }"
    ),
    "a connection, only its count": Case("{ articleConnection { totalCount } }"),
    "a connection, too large": Case("{ articleConnection(first: 1000) { totalCount } }"),
    "a connection inside a connection": Case(
        "{ authorConnection { totalCount edges { node { name articles(first: 1)"
        " { totalCount PAGE edges { node { title tags { name } } } } } } } }"
    ),
    "a connection of a resolver": Case(
        "{ customConnection(minimum: 20, first: 1) { totalCount PAGE edges { node { title } } } }"
    ),
    "cursors": Case(
        "{ articleCursors(first: 2, ordering: [{views: DESC}]) { totalCount PAGE"
        " edges { cursor node { title author { name } } } } }"
    ),
    "cursors, from the end": Case("{ articleCursors(last: 2) { PAGE edges { node { title } } } }"),
    "a wrong cursor": Case('{ articleCursors(after: "x") { edges { node { title } } } }'),
    "a resolver": Case("{ custom(age: 2) { name articles { title } } customOne { name } }"),
    "nothing": Case("{ nothing { name } }"),
    "a list of objects": Case("{ asList { name articles { title } } }"),
    "a plain field": Case("{ plain { name articles { title } } }"),
    "a generator": Case("{ generated { name articles { title } } }"),
    "a raw queryset": Case("{ raw { name profile { bio } } }"),
    "a plain type": Case(
        "{ summary { label article { title author { name } } articles { title } } }"
    ),
    "a type's own queryset": Case("{ published { title author { name } } }"),
    "an error of a resolver": Case("{ broken authors { name } }", ends_early=True),
    "an error where null may be": Case("{ denied authors { name } }"),
    "an error of the document": Case("{ nosuch }"),
    "a variable": Case("query Q($n: Int!) { custom(age: $n) { name } }", variables={"n": 3}),
    "a wrong variable": Case(
        "query Q($n: Int!) { custom(age: $n) { name } }", variables={"n": "x"}
    ),
    "introspection": Case("{ __schema { queryType { fields { name } } } __typename }"),
    "nobody's members": Case("{ members { name } me }"),
    "members": Case("{ members { name articles { title } } me }", user="ada"),
    "staff, by a member": Case("{ staff { name } }", user="ada"),
    "staff": Case("{ staff { name } }", user="root"),
    "a permission": Case("{ permitted { name } strict { name } }", user="ada"),
    "a permission that is missing": Case("{ permitted { name } strict { name } }", user="bob"),
    "a permission for each row": Case("{ articles { title secret } }", user="ada"),
    "a permission for each row that is missing": Case("{ articles { title secret } }", user="bob"),
    "create": Case(
        'mutation { createAuthor(data: {name: "new", age: 3}) { id name articles { title } } }'
    ),
    "create several": Case(
        'mutation { createAuthors(data: [{name: "a", age: 1}, {name: "b", age: 2}]) { id name } }'
    ),
    "create with relations": Case(
        'mutation { createArticle(data: {title: "t", views: 1, author: {set: 2},'
        " tags: {set: [1, 3]}}) { __typename ... on ArticleType"
        " { title author { name } tags { name } } ... on OperationInfo"
        " { messages { field message } } } }"
    ),
    "create with a relation that is missing": Case(
        'mutation { createArticle(data: {title: "t", views: 1, author: {set: 99}})'
        " { ... on OperationInfo { messages { field kind message code } } } }"
    ),
    "create, not valid": Case(
        'mutation { createTag(data: {name: "tag0"}) { __typename ... on TagType { name }'
        " ... on OperationInfo { messages { field kind message code } } } }"
    ),
    "create, not valid, as an error": Case(
        'mutation { createTagRaising(data: {name: "tag0"}) { name } }'
    ),
    "create without validation": Case(
        'mutation { createUnchecked(data: {name: "tag0"}) { name } }'
    ),
    "create with some validation": Case('mutation { createLoosely(data: {name: "x"}) { name } }'),
    "create nested": Case(
        'mutation { createNested(data: {title: "n", author: {name: "deep", age: 9},'
        ' tags: {add: [{name: "fresh"}]}}) { title author { name age } tags { name } } }'
    ),
    "update": Case(
        'mutation { updateArticle(data: {id: 1, title: "changed", tags: {add: [2], remove: [1]}})'
        " { id title tags { name } } }"
    ),
    "update, missing": Case(
        'mutation { updateAuthor(data: {id: 99, name: "x"}) { __typename'
        " ... on OperationInfo { messages { kind message } } } }"
    ),
    "update by a filter": Case(
        "mutation { updateAuthors(data: {age: 50}, filters: {age: {gte: 2}}) { id name age } }"
    ),
    "delete": Case("mutation { deleteAuthor(data: {id: 1}) { id name } }"),
    "delete by a filter": Case(
        'mutation { deleteTags(filters: {name: {exact: "tag0"}}) { name } }'
    ),
    "a mutation of the project's": Case(
        'mutation { rename(key: 1, name: "new") { ... on AuthorType { name articles { title } } } }'
    ),
    "a mutation that is refused": Case(
        'mutation { rename(key: 1, name: "refused") { ... on OperationInfo'
        " { messages { field message } } } }"
    ),
    "an input mutation, nobody's": Case(
        'mutation { addTag(input: {name: "x", article: 1}) { name } }'
    ),
    "an input mutation": Case(
        'mutation { addTag(input: {name: "x", article: 1}) { name articles { title } } }',
        user="ada",
    ),
    "mutations one after another": Case(
        'mutation { a: createAuthor(data: {name: "x", age: 1}) { name }'
        ' b: createTagRaising(data: {name: "tag0"}) { name }'
        ' c: createAuthor(data: {name: "y", age: 1}) { name } }'
    ),
}
