"""Which provider signed the reasoning in a message, and who can read it; writes no message."""
