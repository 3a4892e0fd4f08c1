"""A project for each package that replaces methods of Django's, with Turbo ORM and without."""
