"""The event log's readers: pages of changes, live snapshots and subscribers."""
