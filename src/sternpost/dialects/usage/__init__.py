"""Token counts: read, kept as the provider wrote them, estimated; prices live elsewhere."""
