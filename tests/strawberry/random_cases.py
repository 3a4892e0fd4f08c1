"""Random queries over the types of ``definitions``."""

from tests.strawberry.cases import Case
from tests.strawberry.documents import Generator, Grammar

PAGED = [
    "",
    "(pagination: {limit: 2})",
    "(pagination: {offset: 1})",
    "(pagination: {offset: 1, limit: 1})",
]
SLICED = ["", "(first: 2)", "(last: 2)", "(first: 1)"]
ARTICLES = [
    *PAGED,
    "(ordering: [{views: DESC}])",
    "(ordering: [{title: ASC}], pagination: {limit: 2})",
    "(filters: {isPublished: {exact: true}})",
    '(filters: {title: {iContains: "1"}})',
    "(filters: {author: {age: {gte: 2}}})",
    '(filters: {tags: {name: {exact: "tag0"}}})',
    "(filters: {views: {inList: [0, 10, 20]}})",
]
AUTHORS = [*PAGED, "(ordering: [{age: DESC}])", "(filters: {age: {lte: 2}})"]
TAGS = [*PAGED, '(filters: {name: {exact: "tag1"}})']
GRAMMAR = Grammar(
    leaves={
        "Query": ["me"],
        "ArticleType": [
            *["id", "title", "views", "isPublished", "metadata", "authorId"],
            *["tagNames", "authorName"],
        ],
        "AuthorType": ["id", "name", "age", "firstTitle", "shout"],
        "TagType": ["id", "name"],
        "ProfileType": ["bio"],
        "Published": ["title"],
        "Summary": ["label"],
        "ArticleNode": ["id", "title", "views"],
        "AuthorNode": ["id", "name", "age"],
        "ArticleNodeConnection": ["totalCount"],
        "ArticleNodeEdge": ["cursor"],
        "AuthorNodeConnection": ["totalCount"],
        "AuthorNodeEdge": ["cursor"],
        "PageInfo": ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"],
        "ArticleTypeOffsetPaginated": ["totalCount"],
        "TagTypeOffsetPaginated": ["totalCount"],
    },
    branches={
        "Query": {
            "articles": "ArticleType",
            "authors": "AuthorType",
            "tags": "TagType",
            "published": "Published",
            "paginated": "ArticleTypeOffsetPaginated",
            "articleConnection": "ArticleNodeConnection",
            "authorConnection": "AuthorNodeConnection",
            "custom": "AuthorType",
            "customOne": "AuthorType",
            "nothing": "AuthorType",
            "asList": "AuthorType",
            "plain": "AuthorType",
            "generated": "AuthorType",
            "raw": "AuthorType",
            "deferred": "AuthorType",
            "summary": "Summary",
        },
        "ArticleType": {
            "author": "AuthorType",
            "editor": "AuthorType",
            "tags": "TagType",
            "oneTag": "TagType",
            "pagedTags": "TagTypeOffsetPaginated",
        },
        "AuthorType": {
            "profile": "ProfileType",
            "articles": "ArticleType",
            "edited": "ArticleType",
        },
        "TagType": {"articles": "ArticleType"},
        "Published": {"author": "AuthorType"},
        "Summary": {"article": "ArticleType", "articles": "ArticleType"},
        "ArticleNode": {"author": "AuthorNode", "tags": "TagType"},
        "AuthorNode": {"articles": "ArticleNodeConnection"},
        "ArticleNodeConnection": {"edges": "ArticleNodeEdge", "pageInfo": "PageInfo"},
        "ArticleNodeEdge": {"node": "ArticleNode"},
        "AuthorNodeConnection": {"edges": "AuthorNodeEdge", "pageInfo": "PageInfo"},
        "AuthorNodeEdge": {"node": "AuthorNode"},
        "ArticleTypeOffsetPaginated": {"results": "ArticleType"},
        "TagTypeOffsetPaginated": {"results": "TagType"},
    },
    arguments={
        "articles of ArticleNodeConnection": SLICED,
        "articles in Summary": [""],
        "articles of ArticleType": ARTICLES,
        "edited": ARTICLES,
        "authors": AUTHORS,
        "tags": TAGS,
        "paginated": PAGED,
        "pagedTags": PAGED,
        "articleConnection": SLICED,
        "authorConnection": SLICED,
        "custom": ["", "(age: 2)"],
    },
)


def random_cases(number: int) -> dict[str, Case]:
    """Return so many queries, the same ones each time.

    Args:
        number: how many.
    """
    return {
        f"seed {seed}": Case(Generator(GRAMMAR, seed).document(fragments=3, depth=3))
        for seed in range(number)
    }
