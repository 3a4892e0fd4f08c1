"""Serializers: awaited, and with methods that are coroutine functions."""

import asyncio
import warnings

import pytest
from rest_framework import serializers as drfs
from rest_framework.exceptions import ValidationError

from tests.drf.rows import in_order
from tests.ninja.helpers import fill
from tests.testapp.models import Article, Author, Profile, Tag
from turbo_orm import MissingBridge, run_sync
from turbo_orm_drf import AsyncSerializerMixin, serializers

pytestmark = pytest.mark.rolled_back


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["name"]


class ProfileSerializer(serializers.ModelSerializer):
    class Meta:
        model = Profile
        fields = ["bio"]


class AuthorSerializer(serializers.ModelSerializer):
    profile = ProfileSerializer()

    class Meta:
        model = Author
        fields = ["name", "profile"]

    def create(self, validated_data):
        profile = validated_data.pop("profile")
        author = super().create(validated_data)
        Profile.objects.create(author=author, **profile)
        return author


class ArticleSerializer(serializers.ModelSerializer):
    author = AuthorSerializer()
    tags = TagSerializer(many=True)

    class Meta:
        model = Article
        fields = ["title", "author", "tags"]


async def test_data_of_lazy_relations_is_awaited():
    await fill(0, 1)
    article = await Article.objects.aget()

    data = await ArticleSerializer(article).adata()

    assert in_order(data) == {
        "title": "title0",
        "author": {"name": "author0", "profile": {"bio": "bio0"}},
        "tags": [{"name": f"tag{n}"} for n in range(3)],
    }


async def test_data_of_a_queryset_is_awaited():
    await fill(0, 3)

    data = await ArticleSerializer(Article.objects.order_by("-title"), many=True).adata()

    assert [row["title"] for row in data] == ["title2", "title1", "title0"]
    assert type(data) is drfs.ReturnList


async def test_many_are_validated_and_saved():
    rows = [{"name": "a"}, {"name": "b"}]
    serializer = TagSerializer(data=rows, many=True)

    assert await serializer.ais_valid()
    saved = await serializer.asave()

    assert [tag.name for tag in saved] == ["a", "b"]
    assert await serializer.adata() == rows
    assert isinstance(serializer, drfs.ListSerializer)


async def test_errors_of_many_are_drfs():
    await Tag.objects.acreate(name="a")
    rows = [{"name": "a"}, {"name": "b"}, {}]
    ours = TagSerializer(data=rows, many=True)
    theirs = type("Tags", (drfs.ModelSerializer,), {"Meta": TagSerializer.Meta})(
        data=rows, many=True
    )

    with warnings.catch_warnings():
        # DRF 3.18 says that the errors of a list will be a dictionary.
        warnings.simplefilter("ignore")
        assert not await ours.ais_valid()
        await run_sync(theirs.is_valid)

    assert ours.errors == theirs.errors


async def test_nested_data_is_validated_and_saved():
    serializer = AuthorSerializer(data={"name": "ada", "profile": {"bio": "counts"}})

    assert await serializer.ais_valid(raise_exception=True)
    author = await serializer.asave(age=36)

    assert (author.name, author.age) == ("ada", 36)
    assert await Profile.objects.aget(author=author) == author.profile


async def test_what_is_not_valid_raises_if_that_was_asked_for():
    serializer = TagSerializer(data={"name": "x" * 51})

    with pytest.raises(ValidationError) as raised:
        await serializer.ais_valid(raise_exception=True)
    assert raised.value.detail["name"][0].code == "max_length"
    assert not await serializer.ais_valid()


class Loud(serializers.CharField):
    async def to_representation(self, value):
        return f"{value}{'!' * await Tag.objects.acount()}"

    async def to_internal_value(self, data):
        await Tag.objects.acount()
        return super().to_internal_value(data).lower()


async def not_taken(value):
    if await Author.objects.filter(name=value).aexists():
        raise ValidationError("Taken.", code="taken")


class NotAlone:
    requires_context = True

    async def __call__(self, value, field):
        if await Tag.objects.acount() == 0:
            raise ValidationError(f"{field.field_name} is alone.")


class Awaiting(serializers.ModelSerializer):
    name = Loud(validators=[not_taken, NotAlone()])
    written = serializers.SerializerMethodField()
    labels = serializers.ListField(child=Loud(), write_only=True)
    other = serializers.SerializerMethodField(method_name="compute")

    class Meta:
        model = Author
        fields = ["name", "age", "written", "labels", "other"]

    async def get_written(self, author):
        return await author.articles.acount()

    async def compute(self, author):
        return await Tag.objects.acount() * 2

    async def validate_age(self, value):
        if await Author.objects.filter(age=value).aexists():
            raise ValidationError("One is enough.")
        return value + 1

    async def validate(self, attrs):
        if attrs.pop("labels") == ["no"]:
            raise ValidationError("No.")
        return {**attrs, "name": f"{attrs['name']}{await Author.objects.acount()}"}

    async def create(self, validated_data):
        return await Author.objects.acreate(**validated_data)

    async def update(self, instance, validated_data):
        instance.name = validated_data["name"]
        await instance.asave()
        return instance


async def test_every_method_of_a_serializer_may_be_a_coroutine_function():
    await Tag.objects.acreate(name="t")
    serializer = Awaiting(data={"name": "ADA", "age": 1, "labels": ["A"]})

    assert await serializer.ais_valid(), serializer.errors
    author = await serializer.asave()
    data = await serializer.adata()
    changed = Awaiting(author, data={"name": "Bob", "age": 5, "labels": []})
    assert await changed.ais_valid()

    assert (author.name, author.age) == ("ada0", 2)
    assert data == {"name": "ada0!", "age": 2, "written": 0, "other": 2}
    assert (await changed.asave()).name == "bob1"


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": "taken"}, {"name": ["Taken."]}),
        ({"age": 7}, {"age": ["One is enough."]}),
        ({"labels": ["no"]}, {"non_field_errors": ["No."]}),
        ({"labels": [[]]}, {"labels": {0: ["Not a valid string."]}}),
    ],
)
async def test_what_coroutines_raise_are_the_errors(changes, errors):
    await Tag.objects.acreate(name="t")
    await Author.objects.acreate(name="taken", age=7)
    serializer = Awaiting(data={"name": "ada", "age": 1, "labels": ["a"], **changes})

    assert not await serializer.ais_valid()
    assert serializer.errors == errors


async def test_a_validator_with_context_may_be_a_coroutine_function():
    serializer = Awaiting(data={"name": "ada", "age": 1, "labels": ["a"]})

    assert not await serializer.ais_valid()
    assert serializer.errors == {"name": ["name is alone."]}


async def test_whole_representations_may_be_coroutine_functions():
    class Wrapped(TagSerializer):
        async def to_representation(self, instance):
            return {"tag": super().to_representation(instance), "of": await Tag.objects.acount()}

        async def to_internal_value(self, data):
            await Tag.objects.acount()
            return super().to_internal_value(data["tag"])

        async def save(self, **kwargs):
            self.instance = await Tag.objects.acreate(**self.validated_data)
            return self.instance

    serializer = Wrapped(data={"tag": {"name": "a"}})

    assert await serializer.ais_valid()
    assert (await serializer.asave()).name == "a"
    assert await serializer.adata() == {"tag": {"name": "a"}, "of": 1}
    both = await Wrapped(Tag.objects.all(), many=True).adata()
    assert both == [{"tag": {"name": "a"}, "of": 1}]


async def test_the_mixin_makes_a_serializer_of_drfs_awaitable():
    class Theirs(drfs.Serializer):
        name = drfs.CharField()

    class Ours(AsyncSerializerMixin, Theirs):
        async def validate_name(self, value):
            return f"{value}{await Tag.objects.acount()}"

    serializer = Ours(data={"name": "a"})

    assert await serializer.ais_valid()
    assert serializer.validated_data == {"name": "a0"}


async def test_several_tasks_serialize_at_once():
    await fill(0, 3)
    articles = [article async for article in Article.objects.order_by("title")]

    data = await asyncio.gather(*(ArticleSerializer(one).adata() for one in articles))

    assert [row["author"]["name"] for row in data] == ["author0", "author1", "author2"]


def test_without_a_bridge_a_coroutine_function_says_what_is_needed():
    class Coroutine(serializers.Serializer):
        async def validate(self, attrs):
            return attrs

    with pytest.raises(MissingBridge, match="await run_sync"):
        Coroutine(data={}).is_valid()


def test_a_serializer_without_coroutine_functions_is_drfs():
    assert TagSerializer(data={"name": 5}).fields["name"].__class__ is drfs.CharField
    assert not hasattr(serializers.ListSerializer(child=drfs.CharField()), "fields")
    assert serializers.CharField is drfs.CharField
    assert issubclass(serializers.ModelSerializer, serializers.Serializer)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = serializers.nonsense


def article_serializer(**attributes):
    meta = type("Meta", (), {"model": Article, "fields": ["id", "title", "author", "tags"]})
    return type("Articles", (serializers.ModelSerializer,), {"Meta": meta, **attributes})


def described(serializer):
    """Return all that fields are made of."""
    return repr(serializer)


def test_fields_are_each_serializers_own():
    looked = []

    class Looking(serializers.ModelSerializer):
        class Meta:
            model = Article
            fields = ["title", "tags", "metadata"]

        def get_field_names(self, *args):
            looked.append("asked")
            return super().get_field_names(*args)

    kind = article_serializer()
    first, second = kind(), kind(many=True).child

    assert described(first) == described(second)
    assert first.fields["tags"].child_relation is not second.fields["tags"].child_relation
    assert [field.parent for field in second.fields.values()] == [second] * 4
    assert [Looking().fields.keys() for _ in range(2)] == [{"title", "tags", "metadata"}] * 2
    assert looked == ["asked", "asked"]


def test_what_one_serializer_does_to_its_fields_is_its_own():
    class Unique(serializers.ModelSerializer):
        class Meta:
            model = Tag
            fields = ["name"]

    first, second, third = Unique(), Unique(), Unique()
    [unique] = [one for one in second.fields["name"].validators if hasattr(one, "queryset")]
    unique.queryset = None
    second.fields["name"].validators.append(print)
    second.fields["name"].style["rows"] = 5

    assert described(first) == described(third)
    assert third.fields["name"].style == {}
    [kept] = [one for one in third.fields["name"].validators if hasattr(one, "queryset")]
    assert kept.queryset is not None


def test_what_meta_says_may_change():
    kind = article_serializer()
    before = list(kind().fields)
    kind.Meta.fields.append("views")
    appended = list(kind().fields)
    kind.Meta.extra_kwargs = {"title": {"max_length": 5}}

    assert before == ["id", "title", "author", "tags"]
    assert appended == [*before, "views"]
    assert kind().fields["title"].max_length == 5


def test_declared_and_nested_fields_are_each_serializers_own():
    nested = article_serializer(
        author=AuthorSerializer(),
        words=serializers.ListField(child=serializers.CharField(), default=list),
    )
    nested.Meta.fields = "__all__"
    nested.Meta.depth = 1

    one, other = nested(), nested()

    assert described(one) == described(other)
    assert {"id", "words", "author", "editor", "tags"} <= set(one.fields)
    assert one.fields["words"].child is not other.fields["words"].child
    assert one.fields["tags"].child.parent is one.fields["tags"]
