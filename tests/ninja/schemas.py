"""Response schemas over every kind of relation."""

from typing import Any

from pydantic import computed_field

from ninja import Field, ModelSchema, Schema
from tests.testapp.models import Article, Author, Tag
from turbo_orm_ninja import reads


class ProfileOut(Schema):
    bio: str


class AuthorOut(Schema):
    id: int
    name: str


class AuthorWithProfile(AuthorOut):
    profile: ProfileOut | None = None


class TagOut(Schema):
    name: str


class CommentOut(Schema):
    text: str


class Title(Schema):
    title: str


class TagWithArticles(TagOut):
    articles: list[Title]


class ArticleOut(Schema):
    id: int
    title: str
    author: AuthorOut
    tags: list[TagOut]


class ArticleDeep(Schema):
    title: str
    author: AuthorWithProfile
    editor: AuthorOut | None
    tags: list[TagWithArticles]
    comments: list[CommentOut]


class AuthorTree(AuthorOut):
    articles: list[ArticleOut]


class ArticleModel(ModelSchema):
    class Meta:
        model = Article
        fields = ["id", "title", "author", "editor", "tags", "metadata", "is_published"]


class TagModel(ModelSchema):
    class Meta:
        model = Tag
        fields = "__all__"


class AuthorModel(ModelSchema):
    class Meta:
        model = Author
        fields = ["name", "age"]


class NestedModel(ModelSchema):
    author: AuthorModel
    tags: list[TagModel]

    class Meta:
        model = Article
        fields = ["title"]


class Aliased(Schema):
    heading: str = Field(alias="title")
    author_name: str = Field(alias="author.name")
    writer: AuthorOut = Field(alias="author")


class Computed(Schema):
    title: str
    views: int

    @computed_field
    @property
    def shout(self) -> str:
        return f"{self.title}! {self.views}"


class Resolved(Schema):
    title: str
    author_name: str
    tag_names: list[str]
    comment_count: int

    @staticmethod
    def resolve_author_name(obj: Any) -> str:
        return obj.author.name

    @staticmethod
    def resolve_tag_names(obj: Any) -> list[str]:
        return [tag.name for tag in obj.tags.all()]

    @staticmethod
    def resolve_comment_count(obj: Any, context: Any) -> int:
        return obj.comments.count()


class Declared(Schema):
    title: str
    author_name: str

    @staticmethod
    @reads("author.name")
    def resolve_author_name(obj: Any) -> str:
        return obj.author.name


class Page(Schema):
    total: int
    rows: list[ArticleOut]
    first: ArticleOut | None = None


class ArticleIn(Schema):
    title: str = Field(min_length=3)
    author_id: int
    tags: list[str] = []
