"""The application of the project."""
