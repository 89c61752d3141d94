"""Real things for tests: a running Sternpost, a provider that answers and fails on request, a browser."""
