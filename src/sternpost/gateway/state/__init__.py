"""What one process remembers between calls; what a single call does is in `stages/`."""
