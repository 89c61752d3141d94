"""Engines of `contracts.blobs`."""
