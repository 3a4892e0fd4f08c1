"""The packages as people get them: built, installed with pip into empty environments, and used."""
