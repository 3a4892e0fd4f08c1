"""The admin of the test application: what it needs of a manager is Django's."""

from django.contrib import admin

from .models import Article, Author


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    list_display = ("name", "age")
    search_fields = ("name",)


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    list_display = ("title", "author", "is_published")
    list_filter = ("is_published",)
    search_fields = ("title", "author__name")
    filter_horizontal = ("tags",)
