"""Models with one of everything that the ORM treats specially."""

import django
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    HStoreField,
    IntegerRangeField,
)
from django.db import models

from turbo_orm import AsyncManager, AsyncModel, AsyncModelMixin, AsyncQuerySet


class Author(AsyncModel):
    name = models.CharField(max_length=100)
    age = models.IntegerField(default=0)

    objects = AsyncManager()

    def __str__(self) -> str:
        return self.name


class Tag(AsyncModel):
    name = models.CharField(max_length=50, unique=True)

    objects = AsyncManager()

    def __str__(self) -> str:
        return self.name


class Comment(AsyncModel):
    text = models.TextField()
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.BigIntegerField()
    content_object = GenericForeignKey()

    objects = AsyncManager()

    def __str__(self) -> str:
        return self.text


class ArticleQuerySet(AsyncQuerySet):
    def published(self) -> "ArticleQuerySet":
        return self.filter(is_published=True)


class Article(AsyncModel):
    title = models.CharField(max_length=200)
    is_published = models.BooleanField(default=True)
    views = models.IntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    metadata = models.JSONField(default=dict, blank=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="articles")
    editor = models.ForeignKey(
        Author, models.SET_NULL, null=True, blank=True, related_name="edited"
    )
    tags = models.ManyToManyField(Tag, related_name="articles", blank=True)
    comments = GenericRelation(Comment)

    objects = AsyncManager.from_queryset(ArticleQuerySet)()
    as_manager = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.title


class Profile(AsyncModel):
    author = models.OneToOneField(Author, models.CASCADE, related_name="profile")
    bio = models.TextField(default="")

    objects = AsyncManager()

    def __str__(self) -> str:
        return self.bio


class Person(models.Model, AsyncModelMixin):
    """The mixin behind the model, as users of the seed package wrote it."""

    name = models.CharField(max_length=100)
    friends = models.ManyToManyField("self", through="Friendship", blank=True)

    objects = AsyncManager()

    def __str__(self) -> str:
        return self.name


class Friendship(AsyncModel):
    one = models.ForeignKey(Person, models.CASCADE, related_name="+")
    other = models.ForeignKey(Person, models.CASCADE, related_name="+")
    since = models.IntegerField(default=2000)

    objects = AsyncManager()


class Place(AsyncModel):
    name = models.CharField(max_length=50)

    objects = AsyncManager()


class Restaurant(Place):
    """Inherits a table: saving it writes two."""

    stars = models.IntegerField(default=0)

    objects = AsyncManager()


class Shouted(AsyncModel):
    """Overrides save(), which every awaitable form must honour."""

    text = models.TextField()

    objects = AsyncManager()

    def save(self, *args, **kwargs):
        self.text = self.text.upper()
        super().save(*args, **kwargs)


class Note(models.Model):
    """A generic relation's target with Django's own manager."""

    text = models.TextField()
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.BigIntegerField()
    content_object = GenericForeignKey()

    def __str__(self) -> str:
        return self.text


class Plain(models.Model):
    """Django's own manager: only the redirects make its a* methods ours."""

    name = models.CharField(max_length=50)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    tags = models.ManyToManyField(Tag, related_name="plain", blank=True)
    comments = GenericRelation(Comment)
    notes = GenericRelation(Note)


class Special(AsyncModel):
    """Types that contrib.postgres registers on each connection."""

    attributes = HStoreField(default=dict)
    numbers = ArrayField(models.IntegerField(), default=list)
    span = IntegerRangeField(null=True)

    objects = AsyncManager()


class Ranged(AsyncModel):
    """Every range that contrib.postgres has a field for."""

    whole = IntegerRangeField(null=True)
    big = BigIntegerRangeField(null=True)
    decimal = DecimalRangeField(null=True)
    days = DateRangeField(null=True)
    times = DateTimeRangeField(null=True)

    objects = AsyncManager()


class CaseInsensitiveField(models.TextField):
    """What CITextField was before Django 5.1 removed it; its type is still registered."""

    def db_type(self, connection: object) -> str:
        return "citext"


class Word(AsyncModel):
    text = CaseInsensitiveField(unique=True)
    variants = ArrayField(CaseInsensitiveField(), default=list)

    objects = AsyncManager()

    def __str__(self) -> str:
        return self.text


class Ticket(int):
    """A number that knows how it is printed."""

    def __str__(self) -> str:
        return f"#{int(self):05}"


class TicketField(models.BigAutoField):
    """Makes tickets of what the database numbers."""

    def from_db_value(self, value: int, expression: object, connection: object) -> Ticket:
        return Ticket(value)


class Visitor(AsyncModel):
    ticket = TicketField(primary_key=True)
    name = models.CharField(max_length=50)

    objects = AsyncManager()

    def __str__(self) -> str:
        return f"{self.name} {self.ticket}"


class Event(AsyncModel):
    """Has dates that a test chooses, and options of Meta that querysets heed."""

    name = models.CharField(max_length=50, unique=True)
    day = models.DateField()
    at = models.DateTimeField()

    objects = AsyncManager()

    class Meta:
        ordering = ["-at"]
        get_latest_by = "at"

    def __str__(self) -> str:
        return self.name


class Colour(models.TextChoices):
    RED = "red"
    BLUE = "blue"


class Measure(AsyncModel):
    """A column of each plain type; most may be empty."""

    key = models.UUIDField(unique=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    ratio = models.FloatField(null=True)
    day = models.DateField(null=True)
    hour = models.TimeField(null=True)
    at = models.DateTimeField(null=True)
    lasts = models.DurationField(null=True)
    small = models.SmallIntegerField(null=True)
    raw = models.BinaryField(null=True)
    colour = models.CharField(max_length=10, choices=Colour.choices, default=Colour.RED)
    done = models.BooleanField(null=True)
    data = models.JSONField(null=True)

    objects = AsyncManager()

    class Meta:
        ordering = ["pk"]


class Reading(AsyncModel):
    """Refers to something else than a primary key."""

    measure = models.ForeignKey(
        Measure, models.CASCADE, to_field="key", related_name="readings", null=True
    )
    value = models.IntegerField(default=0)

    objects = AsyncManager()

    class Meta:
        ordering = ["pk"]


if django.VERSION >= (5, 0):

    class Computed(AsyncModel):
        """Has values that only the database knows."""

        number = models.IntegerField(db_default=7)
        double = models.GeneratedField(
            expression=models.F("number") * 2, output_field=models.IntegerField(), db_persist=True
        )

        objects = AsyncManager()
