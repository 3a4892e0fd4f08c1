"""What the API accepts, checked by Django's own forms."""

from __future__ import annotations

from django import forms

from .models import Article


class ArticleForm(forms.ModelForm):
    """A new article; checking author and tags queries the database."""

    class Meta:
        model = Article
        fields = ("title", "body", "author", "tags", "is_published")
