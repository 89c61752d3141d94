"""Responses that a provider stores: read, cancelled, deleted, followed in the background."""
