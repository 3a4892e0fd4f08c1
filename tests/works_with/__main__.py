"""One flavour, in a process of its own: ``python -m tests.works_with out.json``."""

import json
import os
import re
import sys
from pathlib import Path

import django
import psycopg

# Each user comes twice: what a thread has kept of the first time must not be seen either.
ROUNDS = 2
# What requests write: the kind of view, the round, the user.
TEXT = re.compile(r"[a-z]+/[0-9]/user[0-9]")


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.works_with.settings"
    django.setup()
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases

    from .flavours import KINDS, serve
    from .shop.cases import CASES
    from .shop.meeting import USERS

    setup_databases(verbosity=0, interactive=False)
    seed(USERS)
    connections.close_all()
    where = [
        (case, kind, round_)
        for case in CASES
        for kind in KINDS[settings.FLAVOUR]
        for round_ in range(ROUNDS)
    ]
    users = [f"user{number}" for number in range(USERS)]
    rounds = [
        [(f"/{case}/{kind}/{round_}/{user}", user) for user in users]
        for case, kind, round_ in where
    ]
    try:
        answers = serve(settings.FLAVOUR, rounds)
        seen = {
            path: answer
            for requests, found in zip(rounds, answers, strict=True)
            for (path, _), answer in zip(requests, found, strict=True)
        }
        result = {"seen": seen, "left": left_behind()}
    finally:
        connections.close_all()
        drop(settings.DATABASES["default"]["TEST"]["NAME"])
    Path(sys.argv[1]).write_text(json.dumps(result))


def drop(name):
    """Drop the database, though threads that are gone have left connections."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def seed(users):
    from django.contrib.auth import get_user_model

    from .shop.models import Category, Customer, Tenant

    for number in range(users):
        user = get_user_model().objects.create_user(
            f"user{number}", password=f"user{number}", is_active=number % 2 == 1
        )
        tenant = Tenant.objects.create(name=f"tenant{number}")
        Customer.objects.create(user=user, tenant=tenant)
        Category.objects.create(name=f"user{number}")


def left_behind():
    """Return what is in the database afterwards and must be right there."""
    from silk.models import Request

    from .shop.models import Category

    fields = ("name", "level", "lft", "rght")
    before = [*Category.objects.order_by("name").values_list(*fields)]
    Category.objects.rebuild()
    after = [*Category.objects.order_by("name").values_list(*fields)]
    profiled = {
        request.path: sorted({t for q in request.queries.all() for t in TEXT.findall(q.query)})
        for request in Request.objects.all()
    }
    tree = sorted(each[1:] for each in before) == sorted(each[1:] for each in after)
    return {"tree": tree, "profiled": profiled}


if __name__ == "__main__":
    main()
