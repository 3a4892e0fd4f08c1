"""Pages, asked for as browsers and programs ask; rows made here are gone after each test."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from articles.models import Article, Author, Tag
from turbo_orm import run_sync
from turbo_orm.test import TestCase, no_threads


class PagesTests(TestCase):
    """What readers see."""

    author: Author
    news: Tag

    @classmethod
    async def setUpTestData(cls) -> None:  # type: ignore[override]
        """Make rows once, with awaitable methods; each test gets copies."""
        cls.author = await Author.objects.acreate(name="Ada")
        cls.news = await Tag.objects.acreate(name="news")
        article = await Article.objects.acreate(title="First", slug="first", author=cls.author)
        await article.tags.aadd(cls.news)
        await Article.objects.acreate(title="Draft", author=cls.author, is_published=False)

    async def test_a_page_lists_what_is_published(self) -> None:
        page = (await self.async_client.get("/articles/")).json()
        self.assertEqual([article["title"] for article in page["articles"]], ["First"])
        self.assertEqual(page["articles"][0]["tags"], ["news"])

    async def test_a_page_of_another_tag_is_empty(self) -> None:
        page = (await self.async_client.get("/articles/?tag=sport")).json()
        self.assertEqual(page, {"page": 1, "articles": []})

    async def test_a_list_needs_three_queries_however_long_it_is(self) -> None:
        for number in range(3):
            await Article.objects.acreate(title=f"More {number}", author=self.author)
        with self.assertNumQueries(2):
            await self.async_client.get("/articles/")

    async def test_an_article_comes_with_its_comments(self) -> None:
        article = await Article.objects.aget(slug="first")
        await article.comments.acreate(author_name="Bob", text="Well said.")
        found = (await self.async_client.get("/articles/first/")).json()
        self.assertEqual([comment["text"] for comment in found["comments"]], ["Well said."])

    async def test_a_draft_is_not_found(self) -> None:
        draft = await Article.objects.aget(title="Draft")
        response = await self.async_client.get(f"/articles/{draft.slug}/")
        self.assertEqual(response.status_code, 404)

    async def test_the_front_page_needs_no_thread(self) -> None:
        with no_threads():
            response = await self.async_client.get("/")
        self.assertContains(response, "First")


class WritingTests(TestCase):
    """What comes in."""

    author: Author

    def setUp(self) -> None:
        """Make rows synchronously: they are in the same transaction."""
        self.author = Author.objects.create(name="Ada")

    async def post(self, data: dict[str, Any]) -> Any:
        return await self.async_client.post("/articles/", data, content_type="application/json")

    async def test_an_article_is_created_with_its_tags(self) -> None:
        tag = await Tag.objects.acreate(name="news")
        async with self.captureOnCommitCallbacks(execute=True) as callbacks:
            response = await self.post(
                {"title": "Hello", "body": "-", "author": self.author.pk, "tags": [tag.pk]}
            )
        self.assertEqual((response.status_code, len(callbacks)), (201, 1))
        article = await Article.objects.aget(slug=response.json()["slug"])
        self.assertEqual([found.name async for found in article.tags.all()], ["news"])

    async def test_a_wrong_tag_leaves_no_article_behind(self) -> None:
        with self.captureOnCommitCallbacks() as callbacks:
            response = await self.post({"title": "Hello", "author": self.author.pk, "tags": [0]})
        self.assertEqual((response.status_code, callbacks), (400, []))
        self.assertFalse(await Article.objects.aexists())


class AdminTests(TestCase):
    """The admin, with either client."""

    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        """Make rows once, synchronously."""
        cls.admin = User.objects.create_superuser("admin")
        Author.objects.create(name="Ada")

    def test_an_author_is_added(self) -> None:
        self.client.force_login(self.admin)
        self.client.post("/admin/articles/author/add/", {"name": "Grace", "email": ""})
        self.assertEqual([author.name for author in Author.objects.all()], ["Ada", "Grace"])

    async def test_authors_are_listed(self) -> None:
        await run_sync(self.async_client.force_login, self.admin)
        response = await self.async_client.get("/admin/articles/author/")
        self.assertContains(response, "Ada")
