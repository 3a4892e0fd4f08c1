"""A project with packages that keep values in thread-locals; see `make works-with`."""
