"""One module per schema version, in order; never edited once released."""
