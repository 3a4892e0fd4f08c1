"""The views, one module per theme."""
