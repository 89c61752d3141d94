"""What Claude accepts on every host: efforts, cache marks, schemas; writes no request."""
