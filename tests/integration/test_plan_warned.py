"""A plan is made whatever is collected meanwhile, and what that complains of is not lost."""

import sys
import warnings

import pytest

from tests.testapp.models import Author
from turbo_orm import clear_plans, plan_stats
from turbo_orm.plan import run
from turbo_orm.plan.warned import warned

pytestmark = pytest.mark.rolled_back


async def forgotten():
    """Do nothing; nobody awaits it."""


@pytest.fixture(autouse=True)
async def _meanwhile(monkeypatch):
    """Forget a coroutine whenever a plan is made; there is an author of that age."""
    make_plan = run.make_plan

    def make(*arguments):
        forgotten()
        return make_plan(*arguments)

    await Author.objects.acreate(name="Ada", age=36)
    clear_plans()
    monkeypatch.setattr(run, "make_plan", make)


async def find():
    return [author.name for author in await Author.objects.filter(age=36).alist()]


async def test_a_coroutine_that_is_collected_meanwhile_does_not_prevent_a_plan():
    with pytest.warns(RuntimeWarning, match=r"coroutine 'forgotten' was never awaited"):
        assert await find() == ["Ada"]

    before = plan_stats().hits
    assert await find() == ["Ada"]
    assert plan_stats().hits == before + 1


async def test_where_warnings_are_errors_the_query_is_not_what_fails(monkeypatch):
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: ignored.append(repr(told.exc_value)))

    assert await find() == ["Ada"]

    # Other garbage may be among it.
    assert "RuntimeWarning(\"coroutine 'forgotten' was never awaited\")" in ignored


def test_what_the_block_itself_warns_of_is_kept_to_it():
    with pytest.warns(ResourceWarning, match="left open"), warned() as complaints:
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        warnings.warn("left open", ResourceWarning, stacklevel=1)

    assert [str(complaint.message) for complaint in complaints] == ["old"]
