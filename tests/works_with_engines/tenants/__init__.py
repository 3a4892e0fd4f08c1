"""The project with the engine of this name."""
