"""The API by DRF, called by DRF's own client."""

from __future__ import annotations

from django.contrib.auth.models import User

from articles.models import Article, Author, Tag
from turbo_orm.test import no_threads
from turbo_orm_drf.test import APITestCase


class ArticlesTests(APITestCase):
    """What programs read and write."""

    author: Author

    @classmethod
    async def setUpTestData(cls) -> None:  # type: ignore[override]
        """Make rows once, with awaitable methods."""
        cls.author = await Author.objects.acreate(name="Ada")
        tag = await Tag.objects.acreate(name="news")
        for number in range(3):
            article = await Article.objects.acreate(title=f"Title {number}", author=cls.author)
            await article.tags.aadd(tag)

    async def test_a_page_takes_three_statements(self) -> None:
        with no_threads(), self.assertNumQueries(3):
            page = (await self.async_client.get("/api/drf/articles/")).json()
        self.assertEqual(page["count"], 3)
        self.assertEqual([row["tags"] for row in page["results"]], [["news"]] * 3)

    async def test_an_editor_adds_an_article(self) -> None:
        self.async_client.force_authenticate(User(username="ed", is_staff=True))
        answer = await self.async_client.post(
            "/api/drf/articles/", {"title": "New", "author_id": self.author.pk, "tags": ["news"]}
        )
        self.assertEqual(answer.status_code, 201)
        self.assertEqual((await Article.objects.aget(title="New")).author_id, self.author.pk)

    def test_a_test_as_it_was_written_for_drf_passes_too(self) -> None:
        page = self.client.get("/api/drf/articles/", {"ordering": "title"})
        browsed = self.client.get("/api/drf/articles/", HTTP_ACCEPT="text/html")
        self.assertEqual(
            [row["title"] for row in page.json()["results"]], ["Title 0", "Title 1", "Title 2"]
        )
        self.assertContains(browsed, "Title 2")

    async def test_a_stranger_does_not(self) -> None:
        answer = await self.async_client.post("/api/drf/articles/", {"title": "New"})
        self.assertEqual(answer.status_code, 403)
