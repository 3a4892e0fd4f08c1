"""Authors, with what they have written."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from ninja import Router
from turbo_orm_ninja.pagination import PageNumberPagination, paginate

from ..models import Author
from .schemas import AuthorOut, AuthorWhole

router = Router(tags=["authors"])


@router.get("/", response=list[AuthorOut])
@paginate(PageNumberPagination, page_size=50)
async def listed(request: HttpRequest) -> Any:
    """List authors by name."""
    return Author.objects.all()


@router.get("/{pk}", response=AuthorWhole)
async def one(request: HttpRequest, pk: int) -> Author:
    """Show an author."""
    return await Author.objects.aget(pk=pk)
