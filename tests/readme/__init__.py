"""The models of the README's quickstart, as an application of their own."""
