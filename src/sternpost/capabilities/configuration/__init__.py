"""The configuration in force: read again while calls go on, told as changes, shown without its secrets."""
