"""Traces: spans made of calls, the drain into the store, and reading them back; not how they are ingested."""
