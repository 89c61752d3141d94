"""Real things for tests: a running Windlass, a provider that answers and fails on request, a browser."""
