"""What a function says that it reads, and paths behind an attribute."""

import functools

import pytest

from turbo_orm.query import ANYTHING, behind, read_by, reads


class Said:
    @reads("title", "author.name")
    def method(self, row): ...

    @staticmethod
    @reads("title")
    def inside(row): ...

    @reads("title")
    @staticmethod
    def outside(row): ...

    @reads()
    def nothing(self, row): ...

    def unsaid(self, row): ...


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("method", ("title", "author.name")),
        ("inside", ("title",)),
        ("outside", ("title",)),
        ("nothing", ()),
        ("unsaid", (ANYTHING,)),
    ],
)
def test_a_function_reads_what_it_says_else_anything(name, expected):
    assert read_by(vars(Said)[name]) == expected
    assert read_by(getattr(Said(), name)) == expected


def test_what_wraps_a_function_reads_what_that_says():
    @functools.wraps(Said.method)
    def wrapper(*args): ...

    assert read_by(wrapper) == ("title", "author.name")


@pytest.mark.parametrize(
    ("attribute", "paths", "expected"),
    [
        ("author", ["name", "profile.bio"], ["author.name", "author.profile.bio"]),
        ("author.profile", ["bio"], ["author.profile.bio"]),
        ("author", [], ["author"]),
        ("", ["name"], ["name"]),
        ("", [], []),
    ],
)
def test_paths_behind_an_attribute_begin_with_it(attribute, paths, expected):
    assert [*behind(attribute, iter(paths))] == expected
