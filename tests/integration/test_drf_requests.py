"""What a serializer was made of for one request answers no other: each is as stock DRF's."""

import asyncio
import contextlib
import contextvars

import pytest
from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy

from tests.drf.judged import OPTIMISED, OURS, STOCK, answer, request
from tests.fetching import fill
from tests.testapp.models import Article, Author, Colour, Measure, Tag
from turbo_orm import AsyncManager, run_sync

pytestmark = pytest.mark.rolled_back

TENANT = contextvars.ContextVar("tenant", default="")


class OfTenant(AsyncManager):
    """Has the rows whose name begins with the tenant of the request."""

    def get_queryset(self):
        return super().get_queryset().filter(name__startswith=TENANT.get())


@contextlib.contextmanager
def tenant(name):
    token = TENANT.set(name)
    try:
        yield
    finally:
        TENANT.reset(token)


def english():
    return translation.override("en")


def german():
    return translation.override("de")


def serializer(base, model, *names, **options):
    meta = type("Meta", (), {"model": model, "fields": list(names), **options})
    return type("S", (base.ModelSerializer,), {"Meta": meta})


def managed(patch, model):
    manager = OfTenant()
    manager.model, manager.name = model, "objects"
    patch.setitem(model._meta.__dict__, "default_manager", manager)
    for descriptor in (vars(Article)["tags"], vars(Author)["articles"]):
        # Django makes the managers of related objects once.
        patch.setitem(descriptor.__dict__, "related_manager_cls", None)
        del descriptor.__dict__["related_manager_cls"]


def of(model, name):
    return model._meta.get_field(name)


# Each: what is changed in the models, the serializer, and the steps of one process: in what context
# which body is posted, and what was done to the class before.
CASES = {}


def case(function):
    CASES[function.__name__.replace("_", " ")] = function
    return function


@case
def a_manager_by_tenant(patch, base):
    managed(patch, Author)
    authors = {one.name: one.pk for one in Author._base_manager.all()}
    kind = serializer(base, Article, "title", "author")
    for name, chosen in [("author0", "author0"), ("author1", "author0"), ("author1", "author1")]:
        yield kind, tenant(name), {"title": "x", "author": authors[chosen]}


@case
def limited_choices_by_a_function(patch, base):
    patch.setattr(
        of(Article, "author").remote_field,
        "limit_choices_to",
        lambda: {"name__startswith": TENANT.get()},
    )
    authors = {one.name: one.pk for one in Author.objects.all()}
    kind = serializer(base, Article, "title", "author")
    for name, chosen in [("author0", "author0"), ("author1", "author0"), ("author1", "author1")]:
        yield kind, tenant(name), {"title": "x", "author": authors[chosen]}


@case
def limited_choices_of_a_manager(patch, base):
    managed(patch, Tag)
    patch.setattr(of(Article, "tags").remote_field, "limit_choices_to", Q(pk__gte=0))
    tags = {one.name: one.pk for one in Tag._base_manager.all()}
    author = Author.objects.earliest("pk").pk
    kind = serializer(base, Article, "title", "author", "tags")
    for name, chosen in [("tag0", "tag0"), ("tag1", "tag0"), ("tag1", "tag1")]:
        yield kind, tenant(name), {"title": "x", "author": author, "tags": [tags[chosen]]}


@case
def a_unique_field_of_a_manager(patch, base):
    managed(patch, Tag)
    kind = serializer(base, Tag, "name")
    for name in ["tag0", "nothing", "tag0"]:
        yield kind, tenant(name), {"name": "tag0x"}
        yield kind, tenant(name), {"name": "tag0"}


@case
def a_unique_constraint_with_a_condition(patch, base):
    managed(patch, Author)
    constraint = models.UniqueConstraint(
        fields=["name"], condition=Q(name__startswith=""), name="once"
    )
    patch.setattr(Author._meta, "constraints", [constraint])
    kind = serializer(base, Author, "name")
    for name in ["author0", "nothing", "author0"]:
        yield kind, tenant(name), {"name": "author0"}


@case
def unique_together_of_a_manager(patch, base):
    managed(patch, Author)
    patch.setattr(Author._meta, "unique_together", (("name", "age"),))
    kind = serializer(base, Author, "name", "age")
    for name in ["author0", "nothing", "author0"]:
        yield kind, tenant(name), {"name": "author0", "age": 0}


@case
def messages_in_the_language_of_the_request(patch, base):
    kind = serializer(base, Tag, "name")
    for language in [english, german, english]:
        yield kind, language(), {"name": "tag0"}
        yield kind, language(), {}


@case
def labels_in_the_language_of_the_request(patch, base):
    patch.setattr(of(Author, "name"), "verbose_name", gettext_lazy("name"))
    patch.setattr(of(Author, "age"), "verbose_name", gettext_lazy("Password"))
    patch.setattr(of(Author, "age"), "help_text", gettext_lazy("Required."))
    kind = serializer(base, Author, "name", "age")
    for language in [english, german, english]:
        yield kind, language(), {}


@case
def choices_in_the_language_of_the_request(patch, base):
    patch.setattr(of(Author, "name"), "choices", [("a", gettext_lazy("Yes"))])
    kind = serializer(base, Author, "name")
    for language in [english, german, english]:
        yield kind, language(), {"name": "b"}


@case
def extra_arguments_that_change(patch, base):
    extra = {"title": {"max_length": 5}, "metadata": {}}
    kind = serializer(base, Article, "title", "metadata", "author", extra_kwargs=extra)
    body = {"title": "x" * 6, "author": Author.objects.earliest("pk").pk}
    yield kind, contextlib.nullcontext(), body
    extra["title"]["max_length"] = 10
    extra["metadata"]["write_only"] = True
    yield kind, contextlib.nullcontext(), body
    extra["author"] = {"read_only": True}
    extra["named"] = {"source": "views"}
    kind.Meta.fields = ["title", "named", "author"]
    yield kind, contextlib.nullcontext(), body


@case
def depth_that_changes(patch, base):
    kind = serializer(base, Article, "title", "author", depth=0)
    for depth in [0, 1, 0]:
        kind.Meta.depth = depth
        yield kind, contextlib.nullcontext(), {"title": "x"}


@case
def fields_of_a_model_that_change(patch, base):
    kind = serializer(base, Measure, "colour", "price")
    yield kind, contextlib.nullcontext(), {"colour": "green"}
    patch.setattr(of(Measure, "colour"), "choices", [*Colour.choices, ("green", "Green")])
    patch.setattr(of(Measure, "price"), "help_text", "In euros.")
    yield kind, contextlib.nullcontext(), {"colour": "green"}


@case
def kinds_of_fields_that_change(patch, base):
    kind = serializer(base, Author, "name", "age")
    kind.serializer_field_mapping = dict(base.ModelSerializer.serializer_field_mapping)
    yield kind, contextlib.nullcontext(), {"name": "x", "age": "7"}
    kind.serializer_field_mapping[models.IntegerField] = base.FloatField
    yield kind, contextlib.nullcontext(), {"name": "x", "age": "7"}


@case
def defaults_by_a_function(patch, base):
    class Named(base.ModelSerializer):
        name = base.CharField(default=lambda: f"of {TENANT.get()}")

        class Meta:
            model = Author
            fields = ["name", "age"]
            extra_kwargs = {"age": {"default": lambda: len(TENANT.get())}}

    for name in ["a", "bcd"]:
        yield Named, tenant(name), {}


@case
def methods_that_build_fields(patch, base):
    class Built(base.ModelSerializer):
        class Meta:
            model = Author
            fields = ["name", "age"]

        def build_standard_field(self, name, model_field):
            kind, arguments = super().build_standard_field(name, model_field)
            return kind, {**arguments, "help_text": TENANT.get()}

    for name in ["a", "b"]:
        yield Built, tenant(name), {}


@case
def validators_of_a_model_that_change(patch, base):
    kind = serializer(base, Author, "name")
    yield kind, contextlib.nullcontext(), {"name": "x"}

    def refuse(value):
        raise base.ValidationError("No.")

    patch.setattr(of(Author, "name"), "validators", [refuse])
    yield kind, contextlib.nullcontext(), {"name": "x"}


def described(kind):
    """Return what a form, a schema or an OPTIONS request says of the fields."""
    found = []
    for name, field in kind().fields.items():
        choices = getattr(field, "choices", {}) if type(field).__name__ == "ChoiceField" else {}
        texts = [str(text) for text in (field.label, field.help_text, *choices, *choices.values())]
        found.append((name, type(field).__name__, field.required, field.write_only, texts))
    return found


async def steps(name, flavour):
    """Return all that the steps of a case show, with the views of one flavour."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        made = await run_sync(lambda: CASES[name](patch, flavour.serializers))
        while step := await run_sync(next, made, None):
            kind, context, body = step
            named = {"serializer_class": kind, "queryset": kind.Meta.model._base_manager.all()}
            view = type("V", (*flavour.mixins, flavour.generics.ListCreateAPIView), named)
            with context:
                fields = await run_sync(described, kind)
                posted = await answer(view.as_view(), request("post", data=body))
                listed = await answer(view.as_view(), request())
            found.append((fields, posted.seen, posted.rows, listed.seen))
            found[-1] += (len(posted.statements), len(listed.statements))
    return found


def shown(found):
    return [step[:4] for step in found]


@pytest.mark.may_block("translations are read once per process")
@pytest.mark.parametrize("name", CASES)
async def test_what_is_made_for_one_request_answers_no_other(name):
    await fill(2)
    expected = await steps(name, STOCK)
    ours, optimised = await steps(name, OURS), await steps(name, OPTIMISED)

    assert shown(ours) == shown(expected)
    assert shown(optimised) == shown(expected)
    assert len({str(step[:4]) for step in expected}) > 1
    assert [step[4:] for step in ours] == [step[4:] for step in expected]
    for step, judged in zip(optimised, expected, strict=True):
        assert step[4] <= judged[4]
        assert step[5] <= judged[5]


async def test_thirty_requests_of_two_tenants_at_once_are_each_answered_for_its_own():
    await fill(2)
    authors = {one.name: one.pk async for one in Author.objects.all()}

    async def ask(flavour, number):
        own, other = f"author{number % 2}", f"author{(number + 1) % 2}"
        with tenant(own):
            kind = kinds[flavour]
            accepted = await run_sync(lambda: kind(data=bodies[own]).is_valid())
            refused = await run_sync(lambda: kind(data=bodies[other]).is_valid())
        return accepted, refused

    bodies = {name: {"title": "x", "author": pk} for name, pk in authors.items()}
    with pytest.MonkeyPatch.context() as patch:
        managed(patch, Author)
        patch.setattr(of(Article, "author").remote_field, "limit_choices_to", Q(pk__gte=0))
        kinds = {
            flavour: serializer(flavour.serializers, Article, "title", "author")
            for flavour in (STOCK, OURS)
        }
        for flavour in kinds:
            found = await asyncio.gather(*(ask(flavour, number) for number in range(30)))
            assert found == [(True, False)] * 30
