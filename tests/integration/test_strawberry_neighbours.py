"""What strawberry-django works together with: polymorphic models, guardian, federation."""

import pytest
import strawberry_django
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from guardian.shortcuts import assign_perm
from strawberry.django.context import StrawberryDjangoContext
from strawberry.extensions import SchemaExtension
from strawberry.federation import Schema as FederationSchema
from strawberry_django.permissions import HasRetvalPerm, HasSourcePerm

import strawberry
import turbo_orm_strawberry as turbo
from strawberry import relay
from tests.ninja.helpers import counted, fill
from tests.strawberry import models as polymorphic
from tests.strawberry.common import data, schema
from tests.testapp import models
from turbo_orm import run_sync
from turbo_orm_strawberry import TurboExtension

pytestmark = pytest.mark.rolled_back


@turbo.interface(polymorphic.Project)
class Project:
    topic: strawberry.auto


@turbo.type(polymorphic.Artwork)
class Artwork(Project):
    artist: strawberry.auto


@turbo.type(polymorphic.Research)
class Research(Project):
    supervisor: strawberry.auto


@strawberry.type
class Projects:
    projects: list[Project] = turbo.field()


async def test_polymorphic_objects_come_as_what_they_are():
    author = await models.Author.objects.acreate(name="Ada")
    await run_sync(polymorphic.Artwork.objects.create, topic="a", artist="b", author=author)
    await run_sync(polymorphic.Research.objects.create, topic="c", supervisor="d", author=author)
    query = """
        { projects { __typename topic
          ... on Artwork { artist } ... on Research { supervisor } } }
    """

    built = schema(Projects, types=[Artwork, Research])

    assert await data(built, query) == {
        "projects": [
            {"__typename": "Artwork", "topic": "a", "artist": "b"},
            {"__typename": "Research", "topic": "c", "supervisor": "d"},
        ]
    }


BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]


@turbo.type(models.Article, name="GuardedByGuardian")
class Guarded:
    title: strawberry.auto
    secret: str | None = turbo.field(
        field_name="title",
        extensions=[HasSourcePerm("testapp.change_article", use_directives=False)],
    )


@strawberry.type
class Permitted:
    mine: list[Guarded] = turbo.field(
        extensions=[HasRetvalPerm("testapp.view_article", use_directives=False)]
    )
    all: list[Guarded] = turbo.field()


def context(user):
    request = HttpRequest()
    request.user = user
    return StrawberryDjangoContext(request=request, response=HttpResponse())


@override_settings(AUTHENTICATION_BACKENDS=BACKENDS)
async def test_permissions_for_single_objects_are_guardians():
    await fill()
    user = await run_sync(User.objects.create_user, "ada")
    article = await models.Article.objects.aget(title="title1")
    await run_sync(assign_perm, "testapp.view_article", user, article)
    await run_sync(assign_perm, "testapp.change_article", user, article)
    user = await User.objects.aget(pk=user.pk)

    found = await data(
        schema(Permitted), "{ mine { title } all { title secret } }", context_value=context(user)
    )

    assert found == {
        "mine": [{"title": "title1"}],
        "all": [
            {"title": "title0", "secret": None},
            {"title": "title1", "secret": "title1"},
            {"title": "title2", "secret": None},
        ],
    }


@strawberry_django.federation.type(models.Author, keys=["id"], name="FederatedAuthor")
class FederatedAuthor:
    id: strawberry.auto
    name: strawberry.auto


@strawberry.type
class Federated:
    authors: list[FederatedAuthor] = turbo.field()


ENTITIES = """
    query Entities($representations: [_Any!]!) {
      _entities(representations: $representations) { ... on FederatedAuthor { id name } }
    }
"""


async def test_a_federation_resolves_its_references():
    ada = await models.Author.objects.acreate(name="Ada")
    bob = await models.Author.objects.acreate(name="Bob")
    built = FederationSchema(Federated, types=[FederatedAuthor], extensions=[TurboExtension])
    keys = [{"__typename": "FederatedAuthor", "id": str(author.pk)} for author in (bob, ada)]

    found = await data(built, ENTITIES, variable_values={"representations": keys})

    assert found == {
        "_entities": [{"id": str(bob.pk), "name": "Bob"}, {"id": str(ada.pk), "name": "Ada"}]
    }


@turbo.type(models.Author, name="NodeOfAuthor")
class AuthorNode(relay.Node):
    name: strawberry.auto


@strawberry.type
class Nodes:
    node: relay.Node = turbo.node()


class Stored(SchemaExtension):
    """Persisted operations, as a project has them: the client sends a name."""

    documents = {
        "byName": "query Named($id: ID!) { node(id: $id) { ... on NodeOfAuthor { name } } }"
    }

    def on_operation(self):
        self.execution_context.query = self.documents[self.execution_context.query]
        yield


async def test_persisted_operations_are_parsed_once():
    author = await models.Author.objects.acreate(name="Ada")
    built = schema(Nodes, types=[AuthorNode], extensions=[Stored])
    key = str(relay.GlobalID("NodeOfAuthor", str(author.pk)))

    for _ in range(3):
        with counted() as asked:
            found = await data(built, "byName", variable_values={"id": key})
        assert found == {"node": {"name": "Ada"}}
        assert len(asked) == 1
