"""Wire dialects of model providers, each to and from one internal request, reply and stream of events.

Owns every byte that a caller or a provider sees; connections, keys and choices of target live elsewhere.
"""
