"""Schemas for the tests of the Strawberry adapter."""
