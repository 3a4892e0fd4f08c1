"""The tables of the bank, and the one currency that it begins with."""

from django.conf import settings
from django.db import migrations, models

from bank.models import POSITIVE

KEY = ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True))


def add_currency(apps, editor):
    apps.get_model("bank", "Currency").objects.using(editor.connection.alias).create(code="EUR")


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            "Currency", [KEY, ("code", models.CharField(max_length=3, unique=True))]
        ),
        migrations.CreateModel("Plain", [KEY, ("name", models.CharField(max_length=50))]),
        migrations.CreateModel(
            "Account",
            [
                KEY,
                ("owner", models.CharField(max_length=50, unique=True)),
                ("balance", models.IntegerField(default=0)),
                (
                    "user",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True
                    ),
                ),
            ],
            options={"ordering": ["owner"]},
        ),
        migrations.CreateModel(
            "Entry",
            [
                KEY,
                ("amount", models.IntegerField()),
                ("account", models.ForeignKey("Account", models.CASCADE, related_name="entries")),
            ],
        ),
        migrations.AddConstraint(
            "Account", models.CheckConstraint(name="balance_not_negative", **POSITIVE)
        ),
        migrations.RunPython(add_currency, migrations.RunPython.noop),
    ]
