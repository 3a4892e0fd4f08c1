"""The newsroom's tests, written with ``turbo_orm.test``: ``manage.py test``."""
