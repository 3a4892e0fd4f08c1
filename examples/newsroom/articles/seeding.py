"""Made-up news, always the same, written with Django's synchronous ORM."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from .models import Article, Author, Comment, Tag

FIRST_NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Margaret", "Niklaus")
TAGS = ("politics", "science", "sport", "culture", "weather", "economy", "cities", "sea")
DESKS = ("home", "foreign", "science", "sport")
SUBJECTS = ("Harbour", "Parliament", "Orchestra", "Observatory", "Market", "Railway", "Museum")
VERBS = ("opens", "closes", "moves", "doubles", "surprises", "waits for", "rebuilds")
OBJECTS = ("its doors", "the river", "a new wing", "the night shift", "the old bridge", "everyone")
BATCH = 500
COMMENTS_EACH = 2

Progress = Callable[[str, int, int], None]


class Seeder:
    """Write authors, tags, articles and comments in batches, and report after each."""

    def __init__(self, articles: int, progress: Progress, seed: int = 1) -> None:
        self.total = articles
        self.progress = progress
        self.random = random.Random(seed)  # noqa: S311 -- the same news every time, not a secret

    @transaction.atomic
    def run(self) -> dict[str, int]:
        """Write everything or nothing, and return how many rows each table got."""
        authors = Author.objects.bulk_create(
            Author(name=name, email=f"{name.lower()}@newsroom.example") for name in FIRST_NAMES
        )
        tags = Tag.objects.bulk_create(Tag(name=name) for name in TAGS)
        numbers = iter(range(1, self.total + 1))
        written = links = comments = 0
        while batch := [self.article(n, authors) for n in itertools.islice(numbers, BATCH)]:
            articles = Article.objects.bulk_create(batch)
            links += len(Article.tags.through.objects.bulk_create(self.links(articles, tags)))
            comments += len(Comment.objects.bulk_create(self.comments(articles)))
            written += len(articles)
            self.progress("articles", written, self.total)
        return {
            "authors": len(authors),
            "tags": len(tags),
            "articles": written,
            "tag links": links,
            "comments": comments,
        }

    def article(self, number: int, authors: list[Author]) -> Article:
        """Make up one article; one in ten is a draft."""
        pick = self.random.choice
        title = f"{pick(SUBJECTS)} {pick(VERBS)} {pick(OBJECTS)}"
        start = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
        return Article(
            title=title,
            slug=f"news-{number}",
            body=" ".join(f"{pick(SUBJECTS)} {pick(VERBS)} {pick(OBJECTS)}." for _ in range(5)),
            is_published=self.random.random() >= 0.1,
            published_at=start + datetime.timedelta(minutes=37 * number),
            metadata={
                "desk": pick(DESKS),
                "words": self.random.randint(100, 2000),
                "sources": [{"name": pick(SUBJECTS), "checked": self.random.random() < 0.5}],
            },
            author=pick(authors),
        )

    def links(self, articles: list[Article], tags: list[Tag]) -> Iterator[Any]:
        """Give each article one to three tags."""
        for article in articles:
            for tag in self.random.sample(tags, self.random.randint(1, 3)):
                yield Article.tags.through(article_id=article.pk, tag_id=tag.pk)

    def comments(self, articles: list[Article]) -> Iterator[Comment]:
        """Let readers comment on every fifth article."""
        kind = ContentType.objects.get_for_model(Article)
        for article in articles[::5]:
            for number in range(COMMENTS_EACH):
                yield Comment(
                    author_name=f"Reader {self.random.randint(1, 99)}",
                    text=f"Remark {number + 1} on {article.title}",
                    content_type=kind,
                    object_id=article.pk,
                )
