"""Methods by the names of adrf and aiodrf: refused when the class is made, not ignored."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.testapp.models import Tag
from turbo_orm_drf import serializers, viewsets
from turbo_orm_drf.decorators import action
from turbo_orm_drf.renamed import OF_SERIALIZERS, OF_VIEWS
from turbo_orm_drf.views import APIView


async def method(self, *args, **kwargs):
    return None


BASES = [
    *((base, OF_VIEWS) for base in (APIView, viewsets.ViewSet, viewsets.ModelViewSet)),
    *((base, OF_SERIALIZERS) for base in (serializers.Serializer, serializers.ListSerializer)),
]


@pytest.mark.parametrize(
    ("base", "name", "called"),
    [(base, name, called) for base, names in BASES for name, called in names.items()],
)
def test_a_name_that_nobody_calls_is_refused_with_the_one_that_is_called(base, name, called):
    with pytest.raises(ImproperlyConfigured) as refused:
        type("Mine", (base,), {name: method})

    assert str(refused.value) == (
        f"Mine.{name}() would never be called: turbo_orm_drf calls {called}(), as Django REST "
        f"framework does, and that may be a coroutine function. Rename {name}() to {called}()."
    )
    assert type("Mine", (base,), {called: method})


def test_a_mixin_with_such_a_name_is_refused_where_it_is_used():
    owned = type("Owned", (), {"perform_acreate": method})

    with pytest.raises(ImproperlyConfigured, match=r"Tags\.perform_acreate\(\)"):
        type("Tags", (owned, viewsets.ModelViewSet), {})


def test_what_is_called_by_somebody_is_not_refused():
    class Tags(viewsets.ModelViewSet):
        queryset = Tag.objects.all()

        @action(detail=False)
        async def alist(self, request):
            return None

        async def aget_object(self):
            return self.queryset[0]

        async def get_object(self):
            return await self.aget_object()

        def acreate(self):
            return None

    class Saved(serializers.Serializer):
        async def asave(self, **kwargs):
            return None

        async def save(self, **kwargs):
            return await self.asave(**kwargs)

    assert Tags.alist.mapping == {"get": "alist"}
    assert "asave" in vars(Saved)
