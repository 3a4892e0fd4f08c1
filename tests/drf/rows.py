"""The rows that the APIs serve."""

from tests.testapp.models import Article, Author, Comment, Profile, Tag


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
        article.tags.set(tags[: number % 4])
        for reply in range(number % 3):
            Comment.objects.create(text=f"text{number}.{reply}", content_object=article)
