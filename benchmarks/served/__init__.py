"""A Django project, served by Django's own handler and by Turbo ORM's, otherwise the same."""
