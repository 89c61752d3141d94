"""Ollama's own chat and embeddings, as they are asked upstream; no caller speaks it to Sternpost.

Source: https://docs.ollama.com/api/chat and https://docs.ollama.com/api/embed.
"""
