"""Durable jobs by DBOS; what they do belongs to the capabilities."""
