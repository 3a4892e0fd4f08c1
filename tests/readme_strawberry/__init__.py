"""An application whose models and schema are those of the README of turbo-orm-strawberry."""
