"""drf on the event loop."""
