"""Loops that end soon: nothing of the pool may keep them, or outlive them."""

import asyncio
import logging
import random

import pytest
from django.db import connection
from django.test import override_settings

from tests.straight import NAME as STRAIGHT
from tests.testapp.models import Author
from tests.waiting import until_now


def backends():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
            f"AND application_name <> '{STRAIGHT}'"
        )
        return cursor.fetchone()[0]


@pytest.mark.timeout(30)
@override_settings(TURBO_ORM={"POOL": {"default": {"min_size": 4, "max_size": 4}}})
def test_a_loop_ends_while_its_pool_is_still_connecting(caplog, run):
    # A captured record keeps its error, whose frames keep the connection that was not made.
    caplog.set_level(logging.CRITICAL, logger="psycopg")
    caplog.set_level(logging.CRITICAL, logger="psycopg.pool")
    moments = random.Random(1)

    async def one_query():
        await Author.objects.acount()
        await asyncio.sleep(moments.random() * 0.02)

    for _ in range(30):
        run(one_query())

    # The server needs a moment to see that a socket was closed.
    until_now(lambda: backends() == 0)
