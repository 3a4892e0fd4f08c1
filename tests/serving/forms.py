"""A form whose validation asks the database."""

from django import forms

from .models import Book


class BookForm(forms.ModelForm):
    class Meta:
        model = Book
        fields = ("title", "pages", "writer", "topics")


class FeedbackForm(forms.Form):
    text = forms.CharField(max_length=20)
