"""Lines that a provider's own batch API runs: submitted, looked at, and their results taken."""
