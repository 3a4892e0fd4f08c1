"""Django's test cases replace a method of every database wrapper while they run."""

from django.test import SimpleTestCase

from tests.testapp.models import Author
from turbo_orm.connection.engine import bridged_class, forget_wrappers


class Case(SimpleTestCase):
    databases = "__all__"


async def test_wrapper_class_made_while_a_test_case_runs_works_on_the_event_loop():
    bridged_class.cache_clear()
    forget_wrappers()
    Case.setUpClass()
    try:
        await Author.objects.acreate(name="Ada")
        assert await Author.objects.acount() == 1
    finally:
        Case.doClassCleanups()
        bridged_class.cache_clear()
        forget_wrappers()
