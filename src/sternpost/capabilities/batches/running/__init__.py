"""How a batch runs, as work of the queue: read its file, call the gateway for its lines, write its files."""
