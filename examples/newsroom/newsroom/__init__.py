"""The newsroom: a small but real Django project, served and queried without threads."""
