"""The sums over calls that the overview shows."""
