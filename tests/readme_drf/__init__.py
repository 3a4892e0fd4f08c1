"""An application whose models and API are those of the README of turbo-orm-drf."""
