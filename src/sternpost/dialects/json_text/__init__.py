"""JSON as bytes: edited in place, read by path, surrogate halves repaired; knows no dialect."""
