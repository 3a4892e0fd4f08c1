"""strawberry-django's own tests, as they are, with the adapter in every schema."""
