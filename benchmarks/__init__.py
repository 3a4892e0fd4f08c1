"""Benchmarks: `make bench` and `make bench-plans` run them; README.md says how to read them."""
