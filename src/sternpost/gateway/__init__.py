"""The story of a call from its bytes to its record; not the HTTP server around it."""
