"""The rows that the APIs serve."""

from typing import Any

from tests.testapp.models import Article, Author, Comment, Profile, Tag

# Relations whose rows have no order of their own.
UNORDERED = {"tags", "readings", "articles", "words"}


def in_order(value: Any) -> Any:
    """Return an answer with what has no order in one."""
    if isinstance(value, list):
        return [in_order(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: sorted(in_order(one), key=str)
        if key in UNORDERED and isinstance(one, list)
        else in_order(one)
        for key, one in value.items()
    }


def fill() -> None:
    """Make the rows; outside the loop or in the bridge."""
    tags = [Tag.objects.create(name=f"tag{n}") for n in range(3)]
    for number in range(5):
        author = Author.objects.create(name=f"author{number}", age=number)
        if number != 2:
            Profile.objects.create(author=author, bio=f"bio{number}")
        article = Article.objects.create(
            title=f"title{number}",
            author=author,
            editor=author if number % 2 else None,
            is_published=number != 3,
            views=number // 2 * 10,
            metadata={"number": number, "nested": {"list": [1, None]}},
        )
        # No more than one: several would come in any order.
        article.tags.set(tags[number % 3 : number % 3 + (number != 4)])
        for reply in range(number % 3):
            Comment.objects.create(text=f"text{number}.{reply}", content_object=article)
