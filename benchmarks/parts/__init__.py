"""What a run is made of; each part is a module with a function `run`."""
