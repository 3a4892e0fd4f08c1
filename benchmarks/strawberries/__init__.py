"""A schema of strawberry-django's, served by stock in both ways, and with Turbo ORM."""
