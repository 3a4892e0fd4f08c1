"""The tables that every peer reads."""
