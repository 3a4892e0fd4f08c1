"""An API of Django Ninja's, written for stock Ninja in both ways, and for Turbo ORM."""
