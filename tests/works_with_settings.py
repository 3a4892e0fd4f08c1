"""What the settings of the projects in `works_with/` and `works_with_engines/` have in common."""

import os
from typing import Any

from psycopg.conninfo import conninfo_to_dict

SERVER = conninfo_to_dict(os.environ["DATABASE_URL"])
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "only for tests"
USE_TZ = True
POOL = {"default": {"min_size": 1, "max_size": 4, "timeout": 30}}


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
