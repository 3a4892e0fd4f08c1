"""Create authors, tags, comments and articles."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

PRIMARY_KEY = models.BigAutoField(
    auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
)


class Migration(migrations.Migration):
    """The first state of the newsroom's tables."""

    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="Author",
            fields=[
                ("id", PRIMARY_KEY.clone()),
                ("name", models.CharField(max_length=100)),
                ("email", models.EmailField(blank=True, max_length=254)),
            ],
            options={"ordering": ("name",)},
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", PRIMARY_KEY.clone()),
                ("name", models.CharField(max_length=50, unique=True)),
            ],
            options={"ordering": ("name",)},
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", PRIMARY_KEY.clone()),
                ("author_name", models.CharField(max_length=100)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("object_id", models.PositiveBigIntegerField()),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to="contenttypes.contenttype",
                    ),
                ),
            ],
            options={
                "ordering": ("created_at", "id"),
                "indexes": [
                    models.Index(fields=["content_type", "object_id"], name="comment_target"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Article",
            fields=[
                ("id", PRIMARY_KEY.clone()),
                ("title", models.CharField(max_length=200)),
                ("slug", models.SlugField(blank=True, max_length=220, unique=True)),
                ("body", models.TextField(blank=True)),
                ("is_published", models.BooleanField(default=True)),
                ("published_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="articles",
                        to="articles.author",
                    ),
                ),
                (
                    "tags",
                    models.ManyToManyField(blank=True, related_name="articles", to="articles.tag"),
                ),
            ],
            options={
                "ordering": ("-published_at", "-id"),
                "indexes": [
                    models.Index(fields=["is_published", "-published_at"], name="article_newest"),
                ],
            },
        ),
    ]
