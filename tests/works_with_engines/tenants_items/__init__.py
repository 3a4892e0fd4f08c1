"""What each tenant has a table of its own for."""
