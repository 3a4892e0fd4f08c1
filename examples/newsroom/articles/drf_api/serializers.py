"""What goes in and out; what is read here is what the queries fetch."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from turbo_orm_drf import reads
from turbo_orm_drf.exceptions import ValidationError
from turbo_orm_drf.serializers import (
    ModelSerializer,
    PrimaryKeyRelatedField,
    SerializerMethodField,
    SlugRelatedField,
)

from ..models import Article, Author, Comment, Tag


class AuthorSerializer(ModelSerializer):
    """Who wrote something."""

    class Meta:
        model = Author
        fields = ("id", "name")


class TagSerializer(ModelSerializer):
    """What something is about."""

    class Meta:
        model = Tag
        fields = ("id", "name")


class CommentSerializer(ModelSerializer):
    """A remark on an article, over a generic relation."""

    class Meta:
        model = Comment
        fields = ("author_name", "text", "created_at")


class ArticleSerializer(ModelSerializer):
    """An article in a list, and as it is sent in."""

    author = AuthorSerializer(read_only=True)
    author_id = PrimaryKeyRelatedField(
        source="author", queryset=Author.objects.all(), write_only=True
    )
    tags = SlugRelatedField(
        slug_field="name", queryset=Tag.objects.all(), many=True, required=False
    )

    class Meta:
        model = Article
        fields: Any = ("id", "title", "slug", "published_at", "author", "author_id", "tags", "body")
        read_only_fields = ("slug",)
        extra_kwargs = {"body": {"write_only": True, "required": False}}

    async def validate_title(self, value: str) -> str:
        """Refuse a headline that another article of today has.

        Args:
            value: the title.
        """
        others = Article.objects.filter(title=value, published_at__date=timezone.now().date())
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if await others.aexists():
            raise ValidationError("Another article of today says so already.")
        return value


class ArticleWhole(ArticleSerializer):
    """An article by itself."""

    comments = CommentSerializer(many=True, read_only=True)
    others = SerializerMethodField()

    class Meta(ArticleSerializer.Meta):
        fields: Any = (*ArticleSerializer.Meta.fields, "metadata", "comments", "others")
        extra_kwargs: dict[str, Any] = {"body": {"required": False}}

    @reads("author_id")
    async def get_others(self, article: Article) -> int:
        """Count what else the author has written.

        Args:
            article: the article.
        """
        others = Article.objects.filter(author_id=article.author_id).exclude(pk=article.pk)
        return await others.acount()
