"""Cohere's chat and embeddings, version 2, as they are asked upstream; no caller speaks it to Sternpost.

Source: https://docs.cohere.com/reference/chat and https://docs.cohere.com/reference/embed.
"""
