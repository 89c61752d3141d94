"""Clients that carry bytes to model providers, one module per HTTP library."""
