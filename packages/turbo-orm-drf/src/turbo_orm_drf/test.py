"""DRF's test client, request factory and test cases, for asynchronous tests."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from django.test.client import AsyncRequestFactory
from rest_framework import test
from rest_framework.test import force_authenticate

from turbo_orm import run_sync
from turbo_orm.test import AsyncClient, SimpleTestCase, TestCase, TransactionTestCase
from turbo_orm.test.client import BridgedAsyncClientHandler

__all__ = [
    "APISimpleTestCase",
    "APITestCase",
    "APITransactionTestCase",
    "AsyncAPIClient",
    "AsyncAPIRequestFactory",
    "URLPatternsTestCase",
    "force_authenticate",
]


class AsyncAPIRequestFactory(test.APIRequestFactory, AsyncRequestFactory):
    """Makes ASGI requests with data in any of DRF's formats.

    Headers may be given as to Django's factories: ``headers={"Accept": ...}``, or named as in WSGI,
    ``HTTP_ACCEPT=...``. Mirrors ``rest_framework.test.APIRequestFactory``.
    """

    def __init__(self, enforce_csrf_checks: bool = False, **defaults: Any) -> None:
        named: Any = {"enforce_csrf_checks": enforce_csrf_checks, **_as_asgi(defaults)}
        super().__init__(**named)

    def generic(
        self,
        method: str,
        path: str,
        data: Any = "",
        content_type: str | None = "application/octet-stream",
        secure: bool = False,
        **extra: Any,
    ) -> Any:
        """Return an arbitrary request.

        Args:
            method: of HTTP.
            path: with a query, if there is one.
            data: the body.
            content_type: sent with an empty body too.
            secure: whether it came by HTTPS.
            **extra: headers.

        Mirrors ``APIRequestFactory.generic``.
        """
        query = extra.pop("QUERY_STRING", "")
        if query:
            path = urlsplit(str(path))._replace(query=query).geturl()
        # Before 5.0 Django forgets its defaults here.
        extra = {**self.defaults, **_as_asgi(extra)}
        if content_type and not data:
            extra["content-type"] = content_type
        return AsyncRequestFactory.generic(
            self, method, path, data, content_type or "", secure, **extra
        )


def _as_asgi(named: dict[str, Any]) -> dict[str, Any]:
    return {
        name[5:].lower().replace("_", "-") if name.startswith("HTTP_") else name: value
        for name, value in named.items()
    }


class ForceAuthAsyncClientHandler(BridgedAsyncClientHandler):
    """Serves the requests of a client, as the user that it was given.

    Mirrors ``rest_framework.test.ForceAuthClientHandler``.
    """

    def __init__(self, enforce_csrf_checks: bool = True, *args: Any, **kwargs: Any) -> None:
        super().__init__(enforce_csrf_checks, *args, **kwargs)
        self.forced: tuple[Any, Any] = (None, None)

    async def get_response_async(self, request: Any) -> Any:
        """Return the response to a request; see Django's.

        Args:
            request: the request.
        """
        force_authenticate(request, *self.forced)
        return await super().get_response_async(request)


class AsyncAPIClient(AsyncAPIRequestFactory, AsyncClient):
    """DRF's client; requests are served as ``turbo_orm.asgi`` serves them.

    Mirrors ``rest_framework.test.APIClient``; each method that sends a request is awaited.
    """

    handler: ForceAuthAsyncClientHandler

    def __init__(self, enforce_csrf_checks: bool = False, **defaults: Any) -> None:
        super().__init__(enforce_csrf_checks, **defaults)
        self.handler = ForceAuthAsyncClientHandler(enforce_csrf_checks)
        self._credentials: dict[str, Any] = {}

    def credentials(self, **kwargs: Any) -> None:
        """Send headers with every request from now on.

        Args:
            **kwargs: headers, such as ``HTTP_AUTHORIZATION``; without any, none are sent.
        """
        self._credentials = _as_asgi(kwargs)

    def force_authenticate(self, user: Any = None, token: Any = None) -> None:
        """Let every request from now on be that of a user.

        Args:
            user: the user; with neither user nor token requests are anonymous again.
            token: what ``request.auth`` is.
        """
        self.handler.forced = (user, token)
        if user is None and token is None:
            self._credentials = {}
            # Without its cookie the session is out of reach.
            self.cookies = SimpleCookie()

    async def alogout(self) -> None:
        """Forget user, credentials and session.

        Mirrors ``APIClient.logout``, in the bridge.
        """
        self.handler.forced = (None, None)
        self._credentials = {}
        await run_sync(AsyncClient.logout, self)

    def generic(self, *args: Any, **extra: Any) -> Any:
        """Send an arbitrary request, with the credentials; see ``AsyncAPIRequestFactory``.

        Args:
            *args: as for the factory.
            **extra: as for the factory.
        """
        return super().generic(*args, **{**extra, **self._credentials})

    async def request(self, **request: Any) -> Any:
        """Send a request and return the response.

        Args:
            **request: the scope.

        Mirrors ``AsyncClient.request``.
        """
        return await AsyncClient.request(self, **request)

    async def get(self, path: str, data: Any = None, follow: bool = False, **extra: Any) -> Any:
        """Send a GET request.

        Args:
            path: with or without a query.
            data: what the query is made of.
            follow: whether redirects are followed.
            **extra: headers.
        """
        response = await super().get(path, data=data, **extra)
        return await self._followed(follow, response, data=data, **extra)

    async def post(self, path: str, *args: Any, follow: bool = False, **extra: Any) -> Any:
        """Send a POST request.

        Args:
            path: with or without a query.
            *args: ``data``, ``format`` and ``content_type``, as for the factory.
            follow: whether redirects are followed.
            **extra: these by name, and headers.
        """
        response = await super().post(path, *args, **extra)
        return await self._followed(follow, response, *args, **extra)

    async def put(self, path: str, *args: Any, follow: bool = False, **extra: Any) -> Any:
        """Send a PUT request; see ``post``.

        Args:
            path: with or without a query.
            *args: as for ``post``.
            follow: whether redirects are followed.
            **extra: as for ``post``.
        """
        response = await super().put(path, *args, **extra)
        return await self._followed(follow, response, *args, **extra)

    async def patch(self, path: str, *args: Any, follow: bool = False, **extra: Any) -> Any:
        """Send a PATCH request; see ``post``.

        Args:
            path: with or without a query.
            *args: as for ``post``.
            follow: whether redirects are followed.
            **extra: as for ``post``.
        """
        response = await super().patch(path, *args, **extra)
        return await self._followed(follow, response, *args, **extra)

    async def delete(self, path: str, *args: Any, follow: bool = False, **extra: Any) -> Any:
        """Send a DELETE request; see ``post``.

        Args:
            path: with or without a query.
            *args: as for ``post``.
            follow: whether redirects are followed.
            **extra: as for ``post``.
        """
        response = await super().delete(path, *args, **extra)
        return await self._followed(follow, response, *args, **extra)

    async def options(self, path: str, *args: Any, follow: bool = False, **extra: Any) -> Any:
        """Send an OPTIONS request; see ``post``.

        Args:
            path: with or without a query.
            *args: as for ``post``.
            follow: whether redirects are followed.
            **extra: as for ``post``.
        """
        response = await super().options(path, *args, **extra)
        return await self._followed(follow, response, *args, **extra)

    async def _followed(
        self,
        follow: bool,
        response: Any,
        data: Any = None,
        format: str | None = None,  # noqa: A002  # DRF's name
        content_type: str | None = None,
        **extra: Any,
    ) -> Any:
        if not follow:
            return response
        if not hasattr(self, "_ahandle_redirects"):
            raise NotImplementedError("AsyncClient follows redirects since Django 5.0.")
        if format is not None:
            extra["format"] = format
        return await self._ahandle_redirects(
            response, data=data, content_type=content_type, **extra
        )


class APISimpleTestCase(SimpleTestCase, test.APISimpleTestCase):
    """Mirrors ``rest_framework.test.APISimpleTestCase``."""

    client_class = test.APIClient
    async_client_class = AsyncAPIClient
    async_client: AsyncAPIClient


class APITransactionTestCase(TransactionTestCase, test.APITransactionTestCase):
    """Mirrors ``rest_framework.test.APITransactionTestCase``."""

    client_class = test.APIClient
    async_client_class = AsyncAPIClient
    async_client: AsyncAPIClient


class APITestCase(TestCase, test.APITestCase):
    """Mirrors ``rest_framework.test.APITestCase``."""

    client_class = test.APIClient
    async_client_class = AsyncAPIClient
    async_client: AsyncAPIClient


class URLPatternsTestCase(test.URLPatternsTestCase, SimpleTestCase):
    """Mirrors ``rest_framework.test.URLPatternsTestCase``."""


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(test, name)
