"""The command line, one file per group, named after the capabilities."""
