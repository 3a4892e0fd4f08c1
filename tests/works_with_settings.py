"""What the settings of the projects in `works_with/` and `works_with_engines/` have in common."""

import os
from typing import Any

from psycopg.conninfo import conninfo_to_dict

__all__ = [
    "CACHEOPS_CLIENT_CLASS",
    "DEFAULT_AUTO_FIELD",
    "SECRET_KEY",
    "TURBO_ORM",
    "USE_TZ",
]

SERVER = conninfo_to_dict(os.environ["DATABASE_URL"])
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "only for tests"
USE_TZ = True
POOL = {"default": {"min_size": 1, "max_size": 4, "timeout": 30}}
TURBO_ORM = {"POOL": POOL}
CACHEOPS_CLIENT_CLASS = "tests.works_with.shop.redis.Redis"


def databases(engine: str, flavour: str) -> dict[str, dict[str, Any]]:
    """Return Django's setting: the server of DATABASE_URL, with a test database of this process."""
    return {
        "default": {
            "ENGINE": engine,
            "NAME": SERVER.get("dbname", "postgres"),
            "USER": SERVER.get("user", ""),
            "PASSWORD": SERVER.get("password", ""),
            "HOST": SERVER.get("host", ""),
            "PORT": str(SERVER.get("port", "")),
            "TEST": {"NAME": f"works_with_{flavour}_{os.getpid()}"},
        }
    }
