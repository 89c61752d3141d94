"""Mechanics without domain nouns; knows nothing of calls, spans or prompts."""
