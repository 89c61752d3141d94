"""Engines of `contracts.model_client`."""
