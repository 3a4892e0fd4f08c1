"""A manager that filters its rows: the optimiser fetches what Django's prefetching does."""

import pytest
from django.db.models import Count, F

from tests.fetching import asked, fill
from tests.testapp.models import Article, Author, Tag
from turbo_orm.query import AsyncManager, optimize

pytestmark = pytest.mark.rolled_back


def over_the_relation(queryset, back):
    return queryset.filter(**{f"{back}__isnull": False})


def over_a_relation_without_duplicates(queryset, back):
    return queryset.exclude(**{f"{back}__endswith": "?"}).distinct()


def over_its_own_columns(queryset, back):
    return queryset.exclude(pk__lt=2)


def annotated(queryset, back):
    return queryset.annotate(copies=Count(back)).filter(copies__gte=1)


def renamed(queryset, back):
    return queryset.annotate(of=F(back))


def sliced(queryset, back):
    return queryset.order_by("pk")[:2]


FILTERS = [
    *(over_the_relation, over_a_relation_without_duplicates, over_its_own_columns),
    *(annotated, renamed, sliced),
]
RELATIONS = [
    (Article, "tags", "name", Tag, "articles__title"),
    (Author, "articles", "title", Article, "author__name"),
]


@pytest.mark.parametrize("filtered", FILTERS)
@pytest.mark.parametrize("relation", RELATIONS)
async def test_rows_of_a_manager_that_filters_are_those_of_django(monkeypatch, filtered, relation):
    owner, name, column, model, back = relation
    await fill(6)

    class Filtering(AsyncManager):
        def get_queryset(self):
            return filtered(super().get_queryset(), back)

    manager = Filtering()
    manager.model, manager.name = model, "objects"
    monkeypatch.setitem(model._meta.__dict__, "default_manager", manager)
    descriptor = vars(owner)[name]
    monkeypatch.delitem(descriptor.__dict__, "related_manager_cls", raising=False)

    def read(owners):
        return {
            one.pk: sorted(getattr(row, column) for row in getattr(one, name).all())
            for one in owners
        }

    try:
        judged, statements = await asked(lambda: read(owner.objects.prefetch_related(name)))
        paths = ["pk", f"{name}.{column}"]
        found, ours = await asked(lambda: read(optimize(owner.objects.all(), paths)))
    finally:
        descriptor.__dict__.pop("related_manager_cls", None)

    assert any(judged.values())
    assert (found, len(ours)) == (judged, len(statements))
