"""Pictures, sounds and documents of messages: taken out, kept as blobs, shown and drawn small."""
