"""Engines behind the protocols of `contracts`; which one is used is chosen in `assembly`."""
