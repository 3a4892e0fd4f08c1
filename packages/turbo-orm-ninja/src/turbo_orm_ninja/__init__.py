"""Django Ninja on the event loop: async endpoints that return querysets."""
