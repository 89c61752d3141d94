"""Engines of `contracts.event_log`."""
