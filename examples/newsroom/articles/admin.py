"""The admin, written as ever."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.contenttypes.admin import GenericTabularInline

from .models import Article, Author, Comment, Tag


class CommentInline(GenericTabularInline):
    """Comments below what they are about."""

    model = Comment
    extra = 0


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    """Articles, with what one looks for first."""

    list_display = ("title", "author", "is_published", "published_at")
    list_filter = ("is_published", "tags")
    list_select_related = ("author",)
    search_fields = ("title", "body")
    autocomplete_fields = ("author", "tags")
    prepopulated_fields = {"slug": ("title",)}
    inlines = (CommentInline,)


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    """Authors, searchable: the article's form completes their names."""

    list_display = ("name", "email")
    search_fields = ("name", "email")


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    """Tags, searchable for the same reason."""

    search_fields = ("name",)


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    """Comments on anything."""

    list_display = ("author_name", "text", "created_at")
