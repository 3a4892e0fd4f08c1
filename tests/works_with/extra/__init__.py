"""Controllers of django-ninja-extra: synchronous as it serves them, asynchronous as we do."""
