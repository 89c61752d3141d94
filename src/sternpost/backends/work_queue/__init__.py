"""Engines of `contracts.work_queue`."""
