"""Streams of bytes: split into frames, relayed, reassembled; what a frame means is left to each dialect."""
