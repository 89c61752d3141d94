"""The journal as segment files: one writing folder per process, one reader; not what the records mean."""
