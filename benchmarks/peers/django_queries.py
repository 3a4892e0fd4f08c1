"""The operations in Django's own words: its `a*` methods, which three other packages have too."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from ..cases import FOUR_LENGTH, LIST_LENGTH, VALUES_LENGTH, Row
from .base import Peer


class DjangoQueries(Peer):
    """A peer whose managers are Django's, or made after them."""

    articles: Any

    def load_models(self) -> None:
        """Find the managers, once Django is set up."""
        models = importlib.import_module("benchmarks.newsdesk.models")
        self.models = models
        self.articles = models.Article.objects
        self.notes = models.Note.objects
        self.drafts = models.Draft.objects
        self.worlds = models.World.objects
        self.naps = models.Nap.objects

    async def listed(self, queryset: Any) -> Sequence[Any]:
        """Return the rows of a queryset as a list."""
        return [item async for item in queryset]

    def newest_first(self, views: int) -> Any:
        """Return the queryset of the newest published articles that were seen that often."""
        return self.articles.filter(is_published=True, views__gte=views).order_by("-id")

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        return await self.articles.aget(pk=key)

    async def newest(self, views: int) -> Sequence[Any]:
        """Fetch the newest published articles that were seen that often."""
        return await self.listed(self.newest_first(views)[:LIST_LENGTH])

    async def joined(self, views: int) -> Sequence[Any]:
        """Fetch the same articles and their authors by one statement."""
        found = self.newest_first(views).select_related("author")
        return await self.listed(found[:LIST_LENGTH])

    async def labelled(self, views: int) -> Sequence[Any]:
        """Fetch the same articles, and their labels by a second statement."""
        found = self.newest_first(views).prefetch_related("labels")
        return await self.listed(found[:LIST_LENGTH])

    async def four_conditions(self, name: str, views: int, topic: str) -> Sequence[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        found = self.articles.filter(
            author__name=name, is_published=True, views__gte=views, title__contains=topic
        ).order_by("-created")
        return await self.listed(found[:FOUR_LENGTH])

    async def count(self, author: int, views: int) -> int:
        """Count an author's articles that were seen that often."""
        found: int = await self.articles.filter(author_id=author, views__gte=views).acount()
        return found

    async def exists(self, author: int, views: int) -> bool:
        """Tell whether there is one."""
        found: bool = await self.articles.filter(author_id=author, views__gte=views).aexists()
        return found

    async def values_list(self, first: int) -> Sequence[Any]:
        """Fetch three columns of many articles from a key on."""
        found = self.articles.filter(id__gte=first).order_by("id")
        return await self.listed(found.values_list("id", "title", "views")[:VALUES_LENGTH])

    async def listing(self, length: int) -> Sequence[Any]:
        """Fetch the first articles by primary key."""
        return await self.listed(self.articles.order_by("id")[:length])

    async def create(self, title: str, views: int) -> Any:
        """Create a note."""
        return await self.notes.acreate(title=title, views=views)

    async def update(self, key: int, number: int) -> Any:
        """Change the number of a world without fetching it."""
        return await self.worlds.filter(pk=key).aupdate(randomnumber=number)

    async def delete(self, key: int) -> Any:
        """Delete a draft without fetching it."""
        return await self.drafts.filter(pk=key).adelete()

    async def bulk_create(self, rows: Sequence[tuple[str, int]]) -> Any:
        """Create many notes."""
        note = self.models.Note
        return await self.notes.abulk_create(
            [note(title=title, views=views) for title, views in rows]
        )

    async def get_or_create(self, title: str, views: int) -> Any:
        """Fetch the note of a title, or create it with so many views."""
        return await self.notes.aget_or_create(title=title, defaults={"views": views})

    async def select_update_insert(self, key: int, number: int, title: str) -> Any:
        """Do what a transaction is made of."""
        world = await self.worlds.aget(pk=key)
        await self.worlds.filter(pk=world.pk).aupdate(randomnumber=number)
        return await self.notes.acreate(title=title, views=number)

    async def nap(self) -> Any:
        """Fetch the one row of the view that takes its time."""
        return await self.naps.aget(pk=1)

    def labelled_row(self, found: Any) -> tuple[Row, list[str]]:
        """Return an article and its labels' names in a form that can be compared."""
        assert "labels" in found._prefetched_objects_cache
        return self.row(found), sorted(label.name for label in found.labels.all())
