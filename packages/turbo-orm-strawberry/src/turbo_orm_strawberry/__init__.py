"""strawberry on the event loop."""
