"""Odd middleware: each kind that Django accepts."""
