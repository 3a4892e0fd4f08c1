"""A small Django project for servers of their own process, and what starts and asks them."""
