"""Nouns that two rooms share and the protocols of engines; no logic."""
